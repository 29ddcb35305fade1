import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openStore } from '../../src/store/open-store.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import type { Log } from '../../src/telemetry/log.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { silentLog } from '../support/silent-log.ts';
import { startPostgres, withClient, type TestPostgres } from './support/postgres.ts';
import { KEY, open } from './support/stores.ts';
import { ending, hold, incoming, T0, utterance } from './support/turns.ts';

/** What nobody may find again. */
const WORDS = 'xylophone-quartet-1948';
const SOUND = Buffer.from('sound:7f3c9a11e0d2'.repeat(40));

/** A conversation in which the words are everywhere they can be. */
async function plant(store: SqlStore, conversationId: string): Promise<void> {
  const spoken = utterance({
    speakerName: WORDS,
    text: WORDS,
    transcript: WORDS,
    speech: { format: 'mp3', durationMs: 900, data: SOUND },
  });
  for (let index = 0; index < 30; index++) {
    const turn = incoming(`${conversationId}:${index}`, { conversationId, utterances: [spoken] });
    await hold(store, turn, ending({ reply: { text: WORDS, audio: undefined } }));
  }
  const { revision } = await store.conversations.load(conversationId, 1);
  await store.conversations.putSummary(conversationId, { text: WORDS, throughPosition: 20, madeAtMs: T0 }, revision);
}

/** The sealed bytes of a conversation, keys included, as they lie in the database. */
async function sealedBytes(store: SqlStore, conversationId: string): Promise<Buffer[]> {
  const { builder } = store.parts.dialect;
  const tables = await store.parts.database.read(
    [
      builder.selectFrom('conversations').select('wrapped_key').where('id', '=', conversationId).compile(),
      builder.selectFrom('turns').select('reply').where('conversation_id', '=', conversationId).compile(),
      builder.selectFrom('utterances').select(['name', 'text']).where('conversation_id', '=', conversationId).compile(),
      builder.selectFrom('speech').select('sound').where('conversation_id', '=', conversationId).compile(),
      builder.selectFrom('summaries').select('text').where('conversation_id', '=', conversationId).compile(),
    ],
    'patient',
  );
  const values = tables.flatMap((rows) => rows.flatMap((row): unknown[] => Object.values(row)));
  return values.flatMap((value) => (value instanceof Uint8Array ? [Buffer.from(value)] : []));
}

async function filesIn(dir: string): Promise<Buffer> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Buffer.concat(await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name)))));
}

describe('an SQLite file', () => {
  let dir: string;
  let store: SqlStore;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parley-forget-'));
    store = await open({ kind: 'sqlite', file: join(dir, 'parley.db') });
  });
  afterAll(async () => {
    await store[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  test.each([
    ['a conversation', (id: string) => store.privacy.forgetConversation(id)],
    ['a person', () => store.privacy.forgetPerson('ada', undefined)],
    ['a server', () => store.privacy.forgetGuild('guild-1')],
    ['by sweeping', () => store.privacy.sweep({ nowMs: T0 + 9e9, turnsBeforeMs: T0 + 9e9, speechBeforeMs: T0 + 9e9 })],
  ])('that forgot %s holds not even the sealed bytes any more, in no file beside it', async (what, forget) => {
    const id = `channel-${what.replaceAll(' ', '-')}`;
    await plant(store, id);
    const before = await filesIn(dir);
    // Of a person that is forgotten the conversation stays, and its key with it.
    const sealed = (await sealedBytes(store, id)).slice(what === 'a person' ? 1 : 0);
    expect(sealed.length).toBeGreaterThan(100);
    for (const bytes of sealed) expect(before.includes(bytes)).toBe(true);
    await forget(id);
    const after = await filesIn(dir);
    for (const bytes of sealed) {
      // Pages break long values: a part from their middle is enough to find them.
      expect(after.includes(bytes.subarray(0, 32))).toBe(false);
      expect(after.includes(bytes.subarray(bytes.length / 2, bytes.length / 2 + 32))).toBe(false);
    }
    for (const plain of [before, after]) {
      expect(plain.includes(WORDS)).toBe(false);
      expect(plain.includes(SOUND.subarray(0, 18))).toBe(false);
    }
  });
});

describe('sound that was deleted already', () => {
  test('has left the SQLite file, too, once its speaker opted out', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'parley-forget-'));
    await using _ = { [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
    await using store = await open({ kind: 'sqlite', file: join(dir, 'parley.db') });
    await plant(store, 'channel-1');
    const sealed = (await sealedBytes(store, 'channel-1')).filter((bytes) => bytes.length > SOUND.length);
    expect(sealed).toHaveLength(30);
    await store.conversations.keepSpeechOfNewest('channel-1', 0);
    await store.privacy.setOptedOut('ada', true, T0);
    const after = await filesIn(dir);
    for (const bytes of sealed) expect(after.includes(bytes.subarray(0, 32))).toBe(false);
  });
});

test('long work that is swept leaves the SQLite file', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'parley-forget-'));
  await using _ = { [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
  await using store = await open({ kind: 'sqlite', file: join(dir, 'parley.db') });
  const [conversationId, guildId] = ['channel-1', 'guild-1'];
  const job = { id: 'job', kind: 'narration', conversationId, guildId, parameters: WORDS } as const;
  await store.jobs.begin({ ...job, channelId: 'channel-1', messageId: 'message', askedById: 'ada', atMs: T0 });
  await store.jobs.keepPiece('job', { index: 0, json: '{}', data: SOUND });
  const { builder } = store.parts.dialect;
  const query = builder.selectFrom('job_pieces').select('sound').compile();
  const [[piece]] = await store.parts.database.read([query], 'patient');
  const sealed = Buffer.from(piece?.sound ?? []).subarray(0, 32);
  expect((await filesIn(dir)).includes(sealed)).toBe(true);
  await store.privacy.sweep({ nowMs: T0 + 9e9, turnsBeforeMs: T0, speechBeforeMs: T0 + 9e9 });
  expect((await filesIn(dir)).includes(sealed)).toBe(false);
});

describe('a PostgreSQL server', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres[Symbol.asyncDispose]());

  test('never held a planted word or sound in any of its files, nor the key to read what it keeps of deleted rows', async () => {
    const url = await postgres.createDatabase();
    const store = await open({ kind: 'postgres', url });
    await plant(store, 'channel-1');
    await store.privacy.forgetConversation('channel-1');
    expect(await store.conversations.describe('channel-1')).toMatchObject({ turns: 0, people: [] });
    await store[Symbol.asyncDispose]();
    await withClient(url, (client) => client.query('checkpoint'));
    // On a server that is not ours its files are out of reach: then its rows must do.
    const files = postgres.dataDir === undefined ? Buffer.of() : await filesIn(postgres.dataDir);
    for (const secret of [WORDS, SOUND.subarray(0, 18), Buffer.alloc(32, 'parley')]) {
      expect(files.includes(secret)).toBe(false);
    }
    const rows = await withClient(url, (client) => client.query('select * from utterances'));
    expect(rows.rowCount).toBe(0);
  });

  test('has cleaned up its tables when a person is forgotten: deleted rows do not wait in them', async () => {
    const url = await postgres.createDatabase();
    await using store = await open({ kind: 'postgres', url });
    await plant(store, 'channel-1');
    await store.privacy.forgetPerson('ada', undefined);
    const sizes = ['turns', 'utterances', 'speech', 'summaries'].map(
      (table) => `pg_relation_size('${table}') as ${table}`,
    );
    const { rows } = await withClient(url, (client) => client.query(`select ${sizes.join(', ')}`));
    expect(rows).toEqual([{ turns: '0', utterances: '0', speech: '0', summaries: '0' }]);
  });

  test('forgets although it cannot clean up, and the log says so', async () => {
    const url = await postgres.createDatabase();
    const warned: string[] = [];
    const log: Log = { ...silentLog, warn: (_, message) => void warned.push(message) };
    await using store = openStore({ location: { kind: 'postgres', url }, keys: KEY, clock: monotonicClock, log });
    await plant(store, 'channel-1');
    await withClient(url, async (client) => {
      await client.query('begin; lock table utterances in share update exclusive mode');
      const forgotten = Promise.all([
        store.privacy.forgetConversation('channel-1'),
        store.privacy.setOptedOut('ada', true, T0),
      ]);
      const state = { isForgotten: false };
      const done = forgotten.finally(() => (state.isForgotten = true));
      await withClient(url, async (other) => {
        const cancel = `select pg_cancel_backend(pid) from pg_stat_activity where query like 'vacuum%' and wait_event_type = 'Lock'`;
        while (!state.isForgotten) await other.query(cancel);
      });
      expect(await done).toEqual([{ turns: 30 }, undefined]);
      await client.query('rollback');
    });
    expect(new Set(warned)).toEqual(new Set(['PostgreSQL did not clean up at once what was deleted']));
    expect(store.health.state).toEqual({ kind: 'ok' });
    expect(await store.privacy.optedOut()).toEqual(new Set(['ada']));
  });
});
