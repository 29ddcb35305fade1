import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';

import type { Env } from '../../src/config/env.ts';
import { english } from '../../src/language/english.ts';
import { importRecords } from '../../src/store/import-store.ts';
import { newMasterKey } from '../../src/store/keyring.ts';
import type { ExportRecord } from '../../src/store/turn-store.ts';
import { withClient } from '../store/support/postgres.ts';
import { Proxy } from '../store/support/proxy.ts';
import { KEY, open, startDatabases, type TestDatabases } from '../store/support/stores.ts';
import { ending, hold, incoming, utterance } from '../store/support/turns.ts';
import { freePort } from '../support/free-port.ts';
import { messagesOf } from '../support/request-body.ts';
import { Scene } from '../support/scene.ts';
import { FAITHFUL, likeness } from '../support/sound.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

/** A database that can be broken and mended. */
interface Patient {
  readonly env: Env;
  break(): Promise<void>;
  mend(): Promise<void>;
}

/** Makes one; what it needs is disposed of with these parts. */
type Sick = (parts: AsyncDisposableStack) => Promise<Patient>;

async function sqliteFile(): Promise<string> {
  const location = await databases.fresh('sqlite');
  if (location.kind !== 'sqlite') throw new TypeError('not a file');
  await mkdir(dirname(location.file), { recursive: true });
  return location.file;
}

/** A server that can be reached through a wire, and directly. */
async function server(parts: AsyncDisposableStack): Promise<{ direct: string; proxy: Proxy; env: Env }> {
  const direct = await databases.postgres.createDatabase();
  const { proxy, url } = await Proxy.to(direct);
  parts.use(proxy);
  return { direct, proxy, env: { DATABASE_URL: url, STORE_KEYS: KEY } };
}

async function locked(parts: AsyncDisposableStack): ReturnType<Sick> {
  const file = await sqliteFile();
  const other = parts.adopt(new DatabaseSync(file), (database) => database.close());
  return {
    env: { DATABASE_URL: file },
    async break() {
      other.exec('begin immediate');
    },
    async mend() {
      other.exec('rollback');
    },
  };
}

const gone =
  (how: 'cut' | 'silence'): Sick =>
  async (parts) => {
    const { proxy, env } = await server(parts);
    return {
      env,
      async break() {
        proxy[how]();
      },
      async mend() {
        proxy.mend();
      },
    };
  };

function forEachTable(statement: string): string {
  return `do $$ declare name text; begin
    for name in select tablename from pg_tables where schemaname = 'public' loop execute format('${statement}', name); end loop;
  end $$`;
}

/** PostgreSQL made to refuse writes with this SQLSTATE, as it does when its disk is full. */
const refusing =
  (sqlState: string): Sick =>
  async (parts) => {
    const { direct, env } = await server(parts);
    const run = (text: string): Promise<void> => withClient(direct, async (client) => void (await client.query(text)));
    return {
      env,
      async break() {
        await run(`create function refuse() returns trigger language plpgsql as
          $$ begin raise exception using errcode = '${sqlState}'; end $$`);
        await run(forEachTable('create trigger refuse before insert or update on %I execute function refuse()'));
      },
      async mend() {
        await run(forEachTable('drop trigger refuse on %I'));
      },
    };
  };

async function readOnly(parts: AsyncDisposableStack): ReturnType<Sick> {
  const { direct, proxy, env } = await server(parts);
  const name = new URL(direct).pathname.slice(1);
  const change = async (how: string): Promise<void> => {
    await withClient(direct, async (client) => {
      await client.query('set default_transaction_read_only = off');
      await client.query(`alter database ${name} ${how}`);
    });
    // Settings of a database are those of connections made from then on.
    proxy.mend();
  };
  return {
    env,
    break: () => change('set default_transaction_read_only = on'),
    mend: () => change('reset default_transaction_read_only'),
  };
}

const RUNNING: readonly (readonly [what: string, kind: string, sick: Sick])[] = [
  ['a locked file', 'locked', locked],
  ['a server that is gone', 'unavailable', gone('cut')],
  ['a server that does not answer', 'unavailable', gone('silence')],
  ['a server that takes no writes', 'read-only', readOnly],
  ['a server without room', 'full', refusing('53100')],
];

test.each(RUNNING)(
  'with %s Parley goes on answering, says so once, and remembers all of it afterwards',
  { timeout: 90_000 },
  async (_, kind, sick) => {
    await using parts = new AsyncDisposableStack();
    const patient = await sick(parts);
    const { room, ready, write, timesTold, sent } = await started(parts, patient.env);

    await room.call();
    expect(await write('The first.')).toBe('Yes.');
    expect(await ready()).toEqual({ status: 200, store: { ready: true } });

    await patient.break();
    expect(await write('The second.')).toBe('Yes.');
    await expect.poll(ready, { timeout: 10_000 }).toEqual({ status: 503, store: { ready: false, reason: kind } });
    expect(await write('The third.')).toBe('Yes.');
    const { said, reply } = await room.turn('Hello there.');
    expect(likeness(said.wav, reply.request.audio[0]?.wav)).toBeGreaterThan(FAITHFUL);
    expect(await timesTold()).toBe(1);

    await patient.mend();
    await expect.poll(ready, { timeout: 15_000 }).toEqual({ status: 200, store: { ready: true } });
    // What was answered meanwhile is kept in the background.
    await expect
      .poll(async () => (await room.ask(room.alice, 'memory')).includes('**4** turns'), { timeout: 15_000 })
      .toBe(true);
    await write('The fourth.');
    for (const word of ['first', 'second', 'third', 'fourth']) expect(await sent()).toContain(`Alice: The ${word}.`);
    expect(await timesTold()).toBe(1);
  },
);

async function damaged(): ReturnType<Sick> {
  const file = await sqliteFile();
  return {
    env: { DATABASE_URL: file, STORE_KEYS: KEY },
    async break() {
      await rename(file, `${file}.good`);
      await writeFile(file, 'this is no database'.repeat(1000));
    },
    async mend() {
      await rename(`${file}.good`, file);
    },
  };
}

async function otherKey(): ReturnType<Sick> {
  const file = await sqliteFile();
  const keyFile = `${file}.key`;
  await writeFile(keyFile, KEY, { mode: 0o600 });
  return {
    env: { DATABASE_URL: file },
    async break() {
      await copyFile(keyFile, `${keyFile}.good`);
      await rm(keyFile);
      await writeFile(keyFile, newMasterKey(), { mode: 0o600 });
    },
    async mend() {
      await rename(`${keyFile}.good`, keyFile);
    },
  };
}

async function newer(): ReturnType<Sick> {
  const file = await sqliteFile();
  const shift = (by: number): void => {
    using database = new DatabaseSync(file);
    database.exec(`update schema_version set version = version + ${by}`);
  };
  return {
    env: { DATABASE_URL: file, STORE_KEYS: KEY },
    async break() {
      shift(1000);
    },
    async mend() {
      shift(-1000);
    },
  };
}

const AT_START: readonly (readonly [what: string, kind: string, sick: Sick])[] = [
  ['a damaged file', 'corrupt', damaged],
  ['the key of another database', 'wrong-key', otherKey],
  ['the tables of a newer Parley', 'newer-schema', newer],
];

test.each(AT_START)(
  'started on %s Parley answers, says so once, and has its memory back when that is put right',
  { timeout: 90_000 },
  async (_, kind, sick) => {
    await using parts = new AsyncDisposableStack();
    const patient = await sick(parts);
    const file = patient.env.DATABASE_URL ?? '';
    {
      await using store = await open({ kind: 'sqlite', file });
      await hold(store, incoming('before'));
    }
    await patient.break();
    const { room, ready, write, timesTold, sent } = await started(parts, patient.env);

    expect(await ready()).toEqual({ status: 503, store: { ready: false, reason: kind } });
    for (const prompt of ['The first.', 'The second.']) expect(await write(prompt)).toBe('Yes.');
    expect(await timesTold()).toBe(1);
    // Nobody is heard before it is known who does not want to be: they are told, and not left to talk to nobody.
    await room.client.join({ personId: room.alice.id, channelId: room.voice.id });
    expect(await room.ask(room.alice, 'join')).not.toContain('I am listening');

    await patient.mend();
    await expect.poll(ready, { timeout: 40_000 }).toEqual({ status: 200, store: { ready: true } });
    await write('The third.');
    await write('The fourth.');
    expect((await sent()).slice(-2)).toEqual(['Alice: The third.', 'Alice: The fourth.']);
  },
);

test('a channel of ten thousand turns, and a turn of 100 KB in every script, are nothing special', async () => {
  await using parts = new AsyncDisposableStack();
  const file = await sqliteFile();
  const { room, write, sent } = await started(parts, { DATABASE_URL: file, STORE_KEYS: KEY });
  const long = 'Zażółć gęślą jaźń, 你好, مرحبا, 👩‍👩‍👧 \u{1F600}! '.repeat(1800);
  expect(Buffer.byteLength(long)).toBeGreaterThan(100_000);
  {
    await using store = await open({ kind: 'sqlite', file });
    await importRecords(store, channelOf(room.text.id, room.guildId, [...numbered(9_999), long]), () => {});
  }
  expect(await write('And now?')).toBe('Yes.');
  const [before, newest] = (await sent()).slice(-2);
  expect(newest).toBe('Alice: And now?');
  // Compared by hand: nobody wants to read the difference.
  expect(before === `Ada: ${long}`).toBe(true);
  expect(await room.ask(room.alice, 'memory')).toContain('**10001** turns');
});

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `Number ${index}.`);
}

/** A conversation in which these things were said, and each was answered. */
async function* channelOf(id: string, guildId: string, texts: readonly string[]): AsyncGenerator<ExportRecord> {
  yield { type: 'conversation', id, guildId };
  for (const [index, text] of texts.entries()) {
    const { atMs: endedAtMs, ...end } = ending();
    yield {
      type: 'turn',
      ...incoming(`turn:${index}`, { conversationId: id, guildId, utterances: [utterance({ text })] }),
      ...end,
      endedAtMs,
      position: index + 1,
    };
  }
}

const reportSchema = z.object({ parts: z.object({ store: z.unknown() }) });

/** A bot with these settings, and what the tests do with it and ask of it. */
async function started(parts: AsyncDisposableStack, env: Env) {
  const port = await freePort();
  const scene = parts.use(await Scene.start({ env: { ...env, HEALTH_PORT: `${port}` } }));
  await scene.client.setModel({ reply: 'Yes.' });
  const room = scene.home;
  return {
    room,
    /** How its `/readyz` says that the store is. */
    ready: async (): Promise<{ status: number; store: unknown }> => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`);
      return { status: response.status, store: reportSchema.parse(await response.json()).parts.store };
    },
    /** What Alice reads when she asks this. */
    write: async (prompt: string): Promise<string | undefined> =>
      (await room.run(room.alice, 'ask', { prompt })).messages[0]?.content,
    /** How often people were told that nothing is remembered just now. */
    timesTold: async (): Promise<number> =>
      (await room.messages()).filter(({ content }) => content === english.memory.away).length,
    /** What people have said, as the newest request has it; sound as its number. */
    sent: async (): Promise<string[]> => {
      const request = (await scene.chatRequests()).at(-1);
      const messages = request ? messagesOf(request).filter(({ role }) => role === 'user') : [];
      return messages.map(({ parts: said }) => said.join(' '));
    },
  };
}
