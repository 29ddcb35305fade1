import { Routes } from 'discord.js';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { TestWorld } from './test-world.ts';

test('without the token nothing but interactions and webhooks is answered', async () => {
  await using world = await TestWorld.start();
  for (const authorization of ['', 'Bot wrong', world.discord.token]) {
    const response = await world.fetch('/users/@me', { headers: { authorization } });
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ message: '401: Unauthorized', code: 0 });
  }
});

test('unknown paths and ids that are none are told apart from unknown things', async () => {
  await using world = await TestWorld.start();
  const answer = async (path: string) => {
    const response = await world.fetch(path);
    return { status: response.status, ...z.looseObject({}).parse(await response.json()) };
  };
  expect(await answer('/nothing')).toMatchObject({ status: 404, code: 0 });
  expect(await answer('/channels/1')).toMatchObject({ status: 404, code: 10_003 });
  expect(await answer('/channels/general')).toMatchObject({ status: 400, code: 50_035 });
  expect(await answer('/users/1')).toMatchObject({ status: 404, code: 10_013 });
  expect(await answer(`/guilds/${world.guildId}/members/1`)).toMatchObject({ status: 404, code: 10_007 });
  expect(await answer(`/guilds/${world.guildId}/voice-states/@me`)).toMatchObject({ status: 404, code: 10_065 });
  expect(await answer('/applications/@me')).toMatchObject({ status: 200, name: 'Parley', flags: 0 });
});

test('a body that is no JSON is refused', async () => {
  await using world = await TestWorld.start();
  const response = await world.fetch(Routes.channelMessages(world.textId), { method: 'POST', body: '{' });
  expect([response.status, await response.json()]).toMatchObject([400, { code: 50_109 }]);
});

test('what an empty answer carries: nothing, not even a content type', async () => {
  await using world = await TestWorld.start();
  const response = await world.fetch(`/channels/${world.textId}/typing`, { method: 'POST' });
  expect([response.status, response.headers.get('content-type')]).toEqual([204, null]);
});

test('faults replace, delay or cut the next requests that match', async () => {
  await using world = await TestWorld.start();
  const route = 'GET /channels/\\d+$';
  const get = () => world.fetch(Routes.channel(world.textId));
  const body = '<html>down</html>';
  await world.control.restFault({ route, times: 1, status: 502, body, headers: { 'x-why': 'fault' } });
  const broken = await get();
  expect([broken.status, broken.headers.get('x-why'), await broken.text()]).toEqual([502, 'fault', body]);
  await world.control.restFault({ route, times: 1, status: 0 });
  await expect(get()).rejects.toThrow();
  await world.control.restFault({ route, times: 1, status: 200, delayMs: 50 });
  const startedMs = performance.now();
  expect((await get()).status).toBe(200);
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(50);
  expect((await get()).status).toBe(200);
  expect(
    (await world.control.restRequests({})).map(({ method, path, status }) => `${method} ${path} ${status}`),
  ).toEqual([
    `GET /channels/${world.textId} 502`,
    `GET /channels/${world.textId} 0`,
    `GET /channels/${world.textId} 200`,
    `GET /channels/${world.textId} 200`,
  ]);
  await expect(world.control.restFault({ route: '(', times: 1, status: 500 })).rejects.toThrow('no regular expression');
});

test('the record of requests shows no token', async () => {
  await using world = await TestWorld.start();
  const { bot } = await world.control.world({});
  await world.fetch(`/webhooks/${bot.id}/very-secret/messages/@original`);
  const [record] = await world.control.restRequests({});
  expect(record?.path).toBe(`/webhooks/${bot.id}/:token/messages/@original`);
});
