import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { Memory } from '../../src/conversation/memory.ts';
import type { Conversation, Model } from '../../src/model/model.ts';
import { sqliteDialect } from '../../src/store/dialect.ts';
import { SqliteDatabase } from '../../src/store/sqlite-database.ts';
import { SqlStore } from '../../src/store/sql-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { InterposedDatabase } from '../store/support/interposed-database.ts';
import { KEY, open } from '../store/support/stores.ts';
import { hold, idsOf, incoming, T0, utterance } from '../store/support/turns.ts';
import { silentLog } from '../support/silent-log.ts';

/** What the model was given to sum up. */
let summedUp: string[];
const model: Model = {
  async *respond(conversation) {
    summedUp.push(...wordsOf(conversation));
    yield { type: 'text', delta: `They spoke for the ${summedUp.length}. time.` };
    yield { type: 'done', finish: 'stop', audio: undefined, usage: undefined };
  },
  async *transcribe() {},
};

let dir: string;
let file: string;
let database: InterposedDatabase;
let store: SqlStore;
let memory: Memory;
beforeEach(async () => {
  summedUp = [];
  dir = await mkdtemp(join(tmpdir(), 'parley-memory-'));
  file = join(dir, 'parley.db');
  database = new InterposedDatabase(new SqliteDatabase({ file, maxBytes: undefined }));
  const keys = { given: KEY, file: undefined };
  store = new SqlStore({ database, dialect: sqliteDialect(), keys, clock: monotonicClock });
  await store.ready();
  const hasOptedOut = (): boolean => false;
  const parts = { store, model, botName: 'Parley', tokenBudget: 16_000, hasOptedOut };
  memory = new Memory({ ...parts, clock: monotonicClock, log: silentLog });
});
afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

function wordsOf({ messages }: Conversation): string[] {
  return messages.map((message) =>
    message.role === 'user'
      ? message.parts.map((part) => (part.type === 'text' ? part.text : '')).join()
      : message.text,
  );
}

/** The states of the turns in the file, as another process sees them now. */
async function statesOnDisk(): Promise<string[]> {
  await using other = await open({ kind: 'sqlite', file });
  const { builder } = other.parts.dialect;
  const query = builder.selectFrom('turns').select('state').orderBy('received_ms').compile();
  const [rows] = await other.parts.database.read([query], 'patient');
  return rows.map(({ state }) => state);
}

test('a turn waits for one write, and is on the disk as asked before the model is', async () => {
  await hold(store, incoming('before'));
  const { reads, writes } = database.count;
  const turn = await memory.begin(incoming('a', { utterances: [utterance({ text: 'and now?' })] }));
  const conversation = await turn?.conversation('text');
  expect(database.count).toEqual({ reads: reads + 1, writes: writes + 1 });
  expect(conversation && wordsOf(conversation)).toEqual(['Ada: hello', 'hello yourself', 'Ada: and now?']);
  expect(await statesOnDisk()).toEqual(['done', 'asked']);
});

test('what came before is read while the turn is written', async () => {
  await hold(store, incoming('before'));
  const { reads } = database.count;
  const writing = Promise.withResolvers<number>();
  database.beforeNextWrite(async () => {
    // Nothing else holds the write up: by the time it is begun the other has been asked for.
    writing.resolve(database.count.reads);
  });
  const began = memory.begin(incoming('a'));
  expect(await writing.promise).toBe(reads + 1);
  expect(await (await began)?.conversation('text')).toMatchObject({ messages: { length: 3 } });
});

test('the answer is on the disk as begun before anybody hears of it', async () => {
  const turn = await memory.begin(incoming('a'));
  expect(await turn?.begun()).toBe(true);
  expect(await statesOnDisk()).toEqual(['speaking']);
});

test('an event that was answered already is no turn', async () => {
  const first = await memory.begin(incoming('a'));
  expect(await memory.begin(incoming('a'))).toBeUndefined();
  await first?.end({ state: 'done', reply: undefined, usage: undefined, failure: undefined });
  expect(await memory.begin(incoming('a'))).toBeUndefined();
});

test('an answer to what was forgotten meanwhile is dropped', async () => {
  const turn = await memory.begin(incoming('a'));
  await store.privacy.forgetConversation('channel-1');
  expect(await turn?.begun()).toBe(false);
});

test('a turn that could not be kept when it began is kept with its end', async () => {
  await hold(store, incoming('before'));
  database.beforeNextWrite(() => Promise.reject(new StoreError('full', 'no room')));
  const turn = await memory.begin(incoming('a'));
  expect(memory.shouldTell('channel-1')).toBe(true);
  expect(memory.shouldTell('channel-1')).toBe(false);
  expect(await turn?.begun()).toBe(true);
  await turn?.end({ state: 'done', reply: { text: 'yes', audio: undefined }, usage: undefined, failure: undefined });
  const { turns } = await store.conversations.load('channel-1', 10);
  expect(turns.map(({ id, reply }) => [id, reply?.text])).toEqual([
    ['before', 'hello yourself'],
    ['a', 'yes'],
  ]);
});

test('what people say to each other is summed up before it slides out of the requests', async () => {
  const summary = async (): Promise<string | undefined> =>
    (await store.conversations.load('channel-1', 1)).summary?.text;
  const talk = async (from: number, to: number): Promise<void> => {
    for (let number = from; number < to; number++)
      await memory.overheard(incoming(`${number}`, { utterances: [utterance({ text: `word ${number}` })] }));
  };
  await talk(0, 151);
  await expect.poll(summary).toBe('They spoke for the 1. time.');
  await talk(151, 340);
  await expect.poll(summary).toBe('They spoke for the 2. time.');
  const turn = await memory.begin(incoming('now', { utterances: [utterance({ text: 'Parley?' })] }));
  const conversation = await turn?.conversation('text');
  const sent = conversation ? wordsOf(conversation) : [];
  expect(sent[0]).toContain('They spoke for the 2. time.');
  // Each stands in a request, or in what a summary was made from.
  const all = [...summedUp, ...sent].join('\n');
  for (let number = 0; number < 340; number++) expect(all).toMatch(new RegExp(`Ada: word ${number}$`, 'm'));
});

const NO_REPLY = { state: 'done', reply: undefined, usage: undefined, failure: undefined } as const;
/** Who waits for an answer does not try again; who has time does. */
const full = new StoreError('full', 'no room');
/** Nobody tries again. */
const broken = new StoreError('internal', 'broken');

test('what never happened leaves nothing in a store that was away for a moment, or whose answer got lost', async () => {
  const first = await memory.begin(incoming('a'));
  database.beforeNextWrite(() => Promise.reject(full));
  first?.discard();
  await expect.poll(statesOnDisk).toEqual([]);
  database.loseNextAnswer(full);
  const second = await memory.begin(incoming('b'));
  expect(await statesOnDisk()).toEqual(['asked']);
  second?.discard();
  await expect.poll(statesOnDisk).toEqual([]);
});

test('an open turn that nobody works on any more is ended, or goes, as it was to; others stay open', async () => {
  const ended = await memory.begin(incoming('ended', { atMs: T0 }));
  const discarded = await memory.begin(incoming('discarded', { atMs: T0 + 1 }));
  await memory.begin(incoming('live', { atMs: T0 + 2 }));
  database.refuses = broken;
  await ended?.end(NO_REPLY);
  const { writes } = database.count;
  discarded?.discard();
  await expect.poll(() => database.count.writes).toBeGreaterThan(writes);
  database.refuses = undefined;
  expect(await statesOnDisk()).toEqual(['asked', 'asked', 'asked']);
  await memory.endLeft();
  expect(await statesOnDisk()).toEqual(['interrupted', 'asked']);
  expect(await idsOf(store, 'channel-1')).toEqual(['ended']);
});
