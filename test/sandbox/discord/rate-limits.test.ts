import { Routes } from 'discord.js';
import { expect, test } from 'vitest';
import { ManualClock } from '../../support/manual-clock.ts';
import { TestWorld } from './test-world.ts';

const message = { method: 'POST', body: JSON.stringify({ content: 'x' }) };

test('five messages in five seconds a channel, then a real 429 until the window ends', async () => {
  const clock = new ManualClock();
  await using world = await TestWorld.start({ clock });
  const send = (channelId = world.textId) => world.fetch(Routes.channelMessages(channelId), message);
  const remaining: unknown[] = [];
  for (let n = 0; n < 5; n += 1) {
    const { status, headers } = await send();
    expect(status).toBe(200);
    remaining.push(headers.get('x-ratelimit-remaining'));
  }
  expect(remaining).toEqual(['4', '3', '2', '1', '0']);
  clock.advance(1500);
  const refused = await send();
  expect(refused.status).toBe(429);
  expect(Object.fromEntries(refused.headers)).toMatchObject({
    'retry-after': '4',
    'x-ratelimit-limit': '5',
    'x-ratelimit-reset-after': '3.500',
    'x-ratelimit-scope': 'user',
  });
  expect(await refused.json()).toEqual({ message: 'You are being rate limited.', retry_after: 3.5, global: false });
  const other = await world.control.createChannel({ guildId: world.guildId, name: 'other', kind: 'text' });
  const elsewhere = await send(other.id);
  expect(elsewhere.status).toBe(200);
  expect(elsewhere.headers.get('x-ratelimit-bucket')).toBe(refused.headers.get('x-ratelimit-bucket'));
  clock.advance(3500);
  expect((await send()).status).toBe(200);
});

test('fifty requests a second in all; interactions and webhooks do not count', async () => {
  await using world = await TestWorld.start({ clock: new ManualClock() });
  const channels: string[] = [];
  for (let n = 0; n < 6; n += 1) {
    channels.push((await world.control.createChannel({ guildId: world.guildId, name: `c${n}`, kind: 'text' })).id);
  }
  const { bot } = await world.control.world({});
  for (let n = 0; n < 20; n += 1) {
    expect((await world.fetch(`/webhooks/${bot.id}/token${n}/messages/@original`)).status).toBe(404);
  }
  for (let n = 0; n < 50; n += 1) {
    expect((await world.fetch(Routes.channel(channels[n % 6] ?? ''))).status).toBe(200);
  }
  const refused = await world.fetch(Routes.channel(channels[0] ?? ''));
  expect(refused.status).toBe(429);
  expect(refused.headers.get('x-ratelimit-scope')).toBe('global');
  expect(await refused.json()).toMatchObject({ global: true, retry_after: 1 });
  expect((await world.fetch(`/webhooks/${bot.id}/token/messages/@original`)).status).toBe(404);
});

test('discord.js waits for the window by the headers and loses nothing', async () => {
  await using world = await TestWorld.start();
  const rest = world.rest();
  const path = Routes.channelMessages(world.textId);
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: 6 }, (_, n) => rest.post(path, { body: { content: `${n}` } })));
  expect(performance.now() - startedMs).toBeGreaterThan(4500);
  const statuses = (await world.control.restRequests({})).map(({ status }) => status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
});
