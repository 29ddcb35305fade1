import { createServer } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';

import { expect, test } from 'vitest';

import { HealthPortError, startHealthServer } from '../../src/telemetry/health.ts';
import { Readiness } from '../../src/telemetry/readiness.ts';

async function get(port: number, path: string, method = 'GET') {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  const body = await response.text();
  return { status: response.status, body: body === '' ? '' : (JSON.parse(body) as unknown) };
}

test('readiness follows the parts; the process is alive all the while', async () => {
  const readiness = new Readiness();
  await using server = await startHealthServer({ port: 0, host: '127.0.0.1', readiness: () => readiness.report() });
  const ask = () => get(server.port, '/readyz');

  expect(await ask()).toEqual({ status: 503, body: { ready: false, parts: {} } });

  const discord = readiness.part('discord');
  const model = readiness.part('model');
  discord.ready();
  expect(await ask()).toEqual({
    status: 503,
    body: { ready: false, parts: { discord: { ready: true }, model: { ready: false, reason: 'starting' } } },
  });

  model.ready();
  expect(await ask()).toMatchObject({ status: 200, body: { ready: true } });

  discord.notReady('signed out');
  expect(await ask()).toMatchObject({
    status: 503,
    body: { ready: false, parts: { discord: { ready: false, reason: 'signed out' }, model: { ready: true } } },
  });
  expect(await get(server.port, '/healthz')).toEqual({ status: 200, body: { alive: true } });
});

test('two parts cannot share a name', () => {
  const readiness = new Readiness();
  readiness.part('discord');
  expect(() => readiness.part('discord')).toThrow(RangeError);
});

test('probes may be HEAD and carry a query; nothing else is answered', async () => {
  await using server = await startHealthServer({ port: 0, readiness: () => ({ ready: true, parts: {} }) });
  expect(await get(server.port, '/readyz?from=probe', 'HEAD')).toEqual({ status: 200, body: '' });
  expect(await get(server.port, '/healthz', 'POST')).toMatchObject({ status: 405 });
  expect(await get(server.port, '/metrics')).toMatchObject({ status: 404 });
});

test('a port that is taken is a clear error', async () => {
  const other = createServer().listen(0);
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await expect(startHealthServer({ port, readiness: () => ({ ready: true, parts: {} }) })).rejects.toThrow(
    HealthPortError,
  );
  other.close();
});

test('it closes at once, even with a client that only holds its connection', async () => {
  const server = await startHealthServer({ port: 0, host: '127.0.0.1', readiness: () => ({ ready: true, parts: {} }) });
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  socket.resume();
  await server[Symbol.asyncDispose]();
  await closed;
  await expect(fetch(`http://127.0.0.1:${server.port}/healthz`)).rejects.toThrow(TypeError);
});
