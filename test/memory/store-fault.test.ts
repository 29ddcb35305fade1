import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import { messagesOf } from '../support/request-body.ts';
import { Scene } from '../support/scene.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}

test('while the database is locked Parley goes on answering, says so once, and remembers all of it afterwards', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'parley-locked-'));
  const file = join(dir, 'parley.db');
  const port = await freePort();
  const scene = await Scene.start({ env: { DATABASE_URL: file, HEALTH_PORT: `${port}` } });
  try {
    const room = scene.home;
    await scene.client.setModel({ reply: 'Yes.' });
    const ready = async (): Promise<[number, string]> => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`);
      return [response.status, await response.text()];
    };
    /** What Alice reads. */
    const write = async (prompt: string): Promise<string[]> => {
      const { messages } = await room.run(room.alice, 'ask', { prompt });
      return messages.map(({ content }) => content);
    };
    const times = async (sentence: string): Promise<number> =>
      (await room.messages()).filter(({ content }) => content === sentence).length;

    expect(await write('The first.')).toEqual(['Yes.']);
    expect((await ready())[0]).toBe(200);

    const other = new DatabaseSync(file);
    other.exec('begin immediate');
    expect((await write('The second.'))[0]).toBe('Yes.');
    await expect.poll(async () => (await ready())[0], { timeout: 10_000 }).toBe(503);
    expect((await ready())[1]).toContain('store');
    expect((await write('The third.'))[0]).toBe('Yes.');
    expect(await times(english.memory.away)).toBe(1);

    other.exec('rollback');
    other.close();
    await expect.poll(async () => (await ready())[0], { timeout: 10_000 }).toBe(200);
    // What was answered meanwhile is kept in the background.
    await expect
      .poll(async () => (await room.ask(room.alice, 'memory')).includes('**3** turns'), { timeout: 10_000 })
      .toBe(true);
    await write('The fourth.');
    const [request] = (await scene.chatRequests()).slice(-1);
    const said = request ? messagesOf(request).filter(({ role }) => role === 'user') : [];
    expect(said.map(({ parts }) => String(parts[0])).toSorted((a, b) => a.localeCompare(b))).toEqual(
      ['first', 'fourth', 'second', 'third'].map((word) => `Alice: The ${word}.`),
    );
    expect(await times(english.memory.away)).toBe(1);
  } finally {
    await scene[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  }
});
