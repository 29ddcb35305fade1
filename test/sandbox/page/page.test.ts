import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { SandboxClient } from '../../../src/sandbox/control/client.ts';
import { Sandbox } from '../../../src/sandbox/sandbox.ts';

/** What the whole page may weigh on the wire. */
const MAX_SCRIPT_BYTES = 150_000;

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.start();
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly bytes: Buffer;
}

/** As it comes over the wire: `fetch` would unpack it, and set the Host header itself. */
async function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const call = request(new URL(path, sandbox.pageUrl), { headers });
  call.end();
  const [response] = await once(call, 'response');
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece);
  return { status: response.statusCode, headers: response.headers, bytes: Buffer.concat(pieces) };
}

async function socketStatus(path: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(new URL(path, sandbox.pageUrl.replace('http', 'ws')), { headers });
  socket.on('error', () => {});
  const status = await new Promise<number>((resolve) => {
    socket.once('open', () => resolve(101));
    socket.once('unexpected-response', (_call, response) => resolve(response.statusCode ?? 0));
  });
  socket.terminate();
  return status;
}

/** Everything the page loads, found as a browser finds it. */
async function everything(): Promise<Map<string, Answer>> {
  const found = new Map<string, Answer>();
  const waiting = ['/', '/page/player-worklet.ts', '/page/capture-worklet.ts', '/page/live-worker.ts'];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (found.has(path)) continue;
    const plain = await get(path);
    expect(plain.status, path).toBe(200);
    found.set(path, await get(path, { 'accept-encoding': 'gzip' }));
    const text = plain.bytes.toString();
    for (const [, name = ''] of text.matchAll(/(?:from|import)\s*['"](\.[^'"]+)['"]/g)) {
      waiting.push(new URL(name, new URL(path, sandbox.pageUrl)).pathname);
    }
    for (const [, name = ''] of text.matchAll(/(?:src|href)="(\/[^"]+)"/g)) waiting.push(name);
    for (const [, name = ''] of text.matchAll(/"(\/page\/lib\/[^"]+)"/g)) waiting.push(name);
  }
  return found;
}

test('the whole page is small, comes as it is read, and under a strict policy', async () => {
  const files = await everything();
  const scripts = [...files].filter(([path]) => /\.(ts|js)$/.test(path));
  expect(scripts.length).toBeGreaterThan(30);
  expect(scripts.reduce((sum, [, { bytes }]) => sum + bytes.length, 0)).toBeLessThan(MAX_SCRIPT_BYTES);
  for (const [path, { headers }] of files) {
    const policy = String(headers['content-security-policy']);
    expect(policy, path).toContain("default-src 'none'");
    expect(policy, path).not.toMatch(/unsafe|\*/);
    expect(headers['x-content-type-options'], path).toBe('nosniff');
    expect(headers['cross-origin-resource-policy'], path).toBe('same-origin');
  }
});

test('no secret reaches the page', async () => {
  await using client = await SandboxClient.connect(sandbox.controlUrl);
  const texts = [JSON.stringify(await client.world({})), JSON.stringify(await client.modelRequests({}))];
  for (const path of (await everything()).keys()) texts.push((await get(path)).bytes.toString());
  const { discord, model } = sandbox;
  for (const secret of [discord.token, model.apiKey, model.identityHeader]) {
    for (const text of texts) expect(text).not.toContain(secret);
  }
});

test('other hosts, origins and sites are refused, on the page and on its sockets', async () => {
  const { host, port } = new URL(sandbox.pageUrl);
  expect((await get('/', { host: `rebound.example:${port}` })).status).toBe(403);
  expect((await get('/', { origin: 'https://site.example' })).status).toBe(403);
  expect((await get('/', { origin: 'http://127.0.0.1:1' })).status).toBe(403);
  expect((await get('/page/main.ts', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).status).toBe(
    403,
  );
  expect((await get('/', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).status).toBe(200);
  const person = sandbox.people[0]?.id ?? '';
  for (const path of ['/events', `/live?person=${person}`]) {
    expect(await socketStatus(path, { origin: `http://${host}` }), path).toBe(101);
    expect(await socketStatus(path, { origin: 'https://site.example' }), path).toBe(403);
    expect(await socketStatus(path, { origin: 'http://localhost:1' }), path).toBe(403);
    expect(await socketStatus(path, { host: 'rebound.example' }), path).toBe(403);
  }
});

test('nothing outside the page’s folder is served', async () => {
  expect((await get('/page/../page.ts')).status).toBe(404);
  expect((await get('/page/%2e%2e/page.ts')).status).toBe(404);
  expect((await get('/page/tsconfig.json')).status).toBe(404);
});
