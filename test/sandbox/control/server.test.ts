import { once } from 'node:events';
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { TestWorld } from '../discord/test-world.ts';

/** `fetch` sets the Host header itself: a rebound name has to be forged by hand. */
async function post(url: string, headers: Record<string, string>, body = '{}') {
  const call = request(`${url}/world`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } });
  call.end(body);
  const [response] = await once(call, 'response');
  response.resume();
  return Number(response.statusCode);
}

async function upgradeStatus(url: string, path: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, { headers });
  const opened = once(socket, 'open').then(() => 101);
  const refused = new Promise<number>((resolve) => {
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(Number(response.statusCode));
    });
  });
  const status = await Promise.race([opened, refused]);
  socket.on('error', () => {});
  socket.terminate();
  opened.catch(() => {});
  return status;
}

test('a page that a rebound name or another site brought here is refused', async () => {
  await using world = await TestWorld.start();
  const { port } = new URL(world.controlUrl);
  expect(await post(world.controlUrl, {})).toBe(200);
  expect(await post(world.controlUrl, { host: `localhost:${port}` })).toBe(200);
  expect(await post(world.controlUrl, { origin: `http://127.0.0.1:${port}` })).toBe(200);
  expect(await post(world.controlUrl, { host: `rebound.example:${port}` })).toBe(403);
  expect(await post(world.controlUrl, { host: `127.0.0.1.example:${port}` })).toBe(403);
  expect(await post(world.controlUrl, { origin: 'https://site.example' })).toBe(403);
  expect(await post(world.controlUrl, { origin: 'null' })).toBe(403);
  expect(await upgradeStatus(world.controlUrl, '/events', {})).toBe(101);
  expect(await upgradeStatus(world.controlUrl, '/events', { origin: 'https://site.example' })).toBe(403);
  expect(await upgradeStatus(world.controlUrl, '/events', { host: 'rebound.example' })).toBe(403);
  expect(await upgradeStatus(world.controlUrl, '/other', {})).toBe(403);
});

test('what is wrong with a call is said in a sentence', async () => {
  await using world = await TestWorld.start();
  const call = async (method: string, body: string) => {
    const response = await fetch(`${world.controlUrl}/${method}`, { method: 'POST', body });
    const { error } = z.object({ error: z.string() }).parse(await response.json());
    return [response.status, error] as const;
  };
  expect(await call('fly', '{}')).toEqual([400, 'There is no method fly.']);
  expect(await call('toString', '{}')).toEqual([400, 'There is no method toString.']);
  expect(await call('world', '{')).toEqual([400, 'The body is not JSON.']);
  expect(await call('leave', '{"personId":"1"}')).toEqual([400, 'There is no person 1.']);
  const misspelt = await call('leave', '{"personID":"1"}');
  expect(misspelt[0]).toBe(400);
  expect(misspelt[1]).toContain('personId');
  expect((await fetch(`${world.controlUrl}/world`)).status).toBe(404);
});
