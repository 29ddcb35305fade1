import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { Chat } from '../../src/conversation/chat.ts';
import { Keeping } from '../../src/conversation/keeping.ts';
import { Memory } from '../../src/conversation/memory.ts';
import type { ReplyEvent } from '../../src/model/model.ts';
import { sqliteDialect } from '../../src/store/dialect.ts';
import { SqliteDatabase } from '../../src/store/sqlite-database.ts';
import { SqlStore } from '../../src/store/sql-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import type { AbandonedTurn } from '../../src/store/turn-store.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { InterposedDatabase } from '../store/support/interposed-database.ts';
import { KEY, open } from '../store/support/stores.ts';
import { hold, idsOf, incoming, SPEECH, utterance } from '../store/support/turns.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { silentLog } from '../support/silent-log.ts';

const ANSWERED = {
  state: 'done',
  reply: { text: 'yes', audio: undefined },
  usage: undefined,
  failure: undefined,
} as const;
/** Who waits for an answer does not try again; who has time does. */
const full = new StoreError('full', 'no room');
const MINUTE_MS = 60_000;

let dir: string;
let file: string;
let database: InterposedDatabase;
let store: SqlStore;
let memory: Memory;
let keeping: Keeping;
let clock: ManualClock;
/** Tells people of a crash. */
let tell: (turn: AbandonedTurn) => Promise<void>;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-keeping-'));
  file = join(dir, 'parley.db');
  database = new InterposedDatabase(new SqliteDatabase({ file, maxBytes: undefined }));
  const keys = { given: KEY, file: undefined };
  store = new SqlStore({ database, dialect: sqliteDialect(), keys, clock: monotonicClock });
  await store.ready();
  const model = { async *respond() {}, async *transcribe() {} };
  const parts = { store, model, botName: 'Parley', tokenBudget: 16_000 };
  const hasOptedOut = (personId: string): boolean => keeping.hasOptedOut(personId);
  memory = new Memory({ ...parts, hasOptedOut, clock: monotonicClock, log: silentLog });
  clock = new ManualClock();
  keeping = new Keeping({
    store,
    memory,
    retentionDays: 30,
    deletionGraceDays: 7,
    onChoice: () => {},
    onAbandoned: (turn) => tell(turn),
    clock,
    log: silentLog,
  });
});
afterEach(async () => {
  await keeping[Symbol.asyncDispose]();
  await memory[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

describe('what is forgotten is not kept afterwards', () => {
  test('when a store that was away takes what waited for it', async () => {
    database.refuses = full;
    const turn = await memory.begin(incoming('a', { atMs: Date.now() }));
    const { writes } = database.count;
    const ended = turn?.end(ANSWERED);
    await expect.poll(() => database.count.writes).toBeGreaterThan(writes);
    const forgotten = keeping.forgetConversation('channel-1');
    database.refuses = undefined;
    await forgotten;
    await ended;
    await memory[Symbol.asyncDispose]();
    expect(await idsOf(store, 'channel-1')).toEqual([]);
  });

  test.each([
    ['conversation', () => keeping.forgetConversation('channel-1')],
    ['server', () => keeping.forgetGuild('guild-1')],
    ['person', () => keeping.forgetPerson('ada', 'guild-1')],
    ['channel', () => Promise.resolve(keeping.channelDeleted('channel-1'))],
  ] as const)('when a reply that was not kept from its beginning ends (%s)', async (_, forget) => {
    database.beforeNextWrite(() => Promise.reject(full));
    const turn = await memory.begin(incoming('a', { atMs: Date.now() }));
    await forget();
    await turn?.end(ANSWERED);
    expect(await idsOf(store, 'channel-1')).toEqual([]);
    const later = await memory.begin(incoming('b', { atMs: Date.now() + 1 }));
    await later?.end(ANSWERED);
    expect(await idsOf(store, 'channel-1')).toEqual(['b']);
  });

  test('when what people said to each other waits for its words', async () => {
    const saidAtMs = Date.now();
    await keeping.forgetConversation('channel-1');
    await memory.overheard(incoming('a', { atMs: saidAtMs }));
    expect(await idsOf(store, 'channel-1')).toEqual([]);
    await memory.overheard(incoming('b', { atMs: Date.now() + 1 }));
    expect(await idsOf(store, 'channel-1')).toEqual(['b']);
  });

  test('when a question waits for the one before it', async () => {
    const first = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const model = {
      async *respond(): AsyncGenerator<ReplyEvent> {
        begun.resolve();
        await first.promise;
        yield { type: 'text', delta: 'Yes.' };
        yield { type: 'done', finish: 'stop', audio: undefined, usage: undefined };
      },
      async *transcribe() {},
    };
    const chat = new Chat({ model, memory, voiceOf: () => Promise.resolve('alloy'), log: silentLog });
    const shown: string[] = [];
    const ask = (turnId: string): Promise<boolean> =>
      chat.ask(
        {
          turnId,
          conversationId: 'channel-1',
          guildId: 'guild-1',
          shownIn: 'channel-1',
          author: { id: 'ada', name: 'Ada' },
          prompt: 'Well?',
          speech: undefined,
          output: 'text',
        },
        async ({ text }) => void shown.push(text),
        new AbortController().signal,
      );
    const asked = [ask('a'), ask('b')];
    await begun.promise;
    await keeping.forgetConversation('channel-1');
    first.resolve();
    await Promise.all(asked);
    await memory[Symbol.asyncDispose]();
    // Who waits is answered all the same.
    expect(shown).toContain('Yes.');
    expect(await idsOf(store, 'channel-1')).toEqual([]);
  });

  test('when it is being written', async () => {
    await hold(store, incoming('before'));
    const writing = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    database.beforeNextWrite(() => {
      writing.resolve();
      return released.promise;
    });
    const beginning = memory.begin(incoming('a', { atMs: Date.now() }));
    await writing.promise;
    const { writes } = database.count;
    const forgotten = keeping.forgetConversation('channel-1');
    // Whoever does not wait for it has deleted everything by now.
    await Promise.race([forgotten, store.conversations.describe('channel-1')]);
    expect(database.count.writes).toBe(writes);
    released.resolve();
    await forgotten;
    const turn = await beginning;
    expect(await turn?.begun()).toBe(false);
    await turn?.end(ANSWERED);
    expect(await idsOf(store, 'channel-1')).toEqual([]);
  });

  test('and what others said in the same turn is', async () => {
    const bo = utterance({ speakerId: 'bo', speakerName: 'Bo', text: 'mine' });
    database.beforeNextWrite(() => Promise.reject(full));
    const turn = await memory.begin(incoming('a', { atMs: Date.now(), utterances: [utterance(), bo] }));
    await keeping.forgetPerson('ada', 'guild-1');
    await keeping.forgetPerson('bo', 'another-guild');
    await turn?.end(ANSWERED);
    const { turns } = await store.conversations.load('channel-1', 10);
    expect(turns).toMatchObject([{ id: 'a', utterances: [{ text: 'mine' }], reply: undefined }]);
    expect(turns[0]?.utterances).toHaveLength(1);
  });

  test('also the sound of somebody who opted out in between', async () => {
    database.beforeNextWrite(() => Promise.reject(full));
    const utterances = [utterance({ speech: SPEECH })];
    const turn = await memory.begin(incoming('a', { atMs: Date.now(), utterances }));
    await keeping.setOptedOut('ada', true);
    await keeping.setOptedOut('ada', false);
    await turn?.end(ANSWERED);
    const { turns } = await store.conversations.load('channel-1', 10);
    expect(turns).toMatchObject([{ id: 'a', utterances: [{ text: 'hello', speech: { data: undefined } }] }]);
  });
});

describe('people are told of a crash', () => {
  /** A process leaves these turns open. */
  async function crash(...ids: readonly string[]): Promise<void> {
    await using other = await open({ kind: 'sqlite', file });
    for (const id of ids) await other.turns.receive(incoming(id));
  }

  /** What the next process would be told to tell. */
  async function owed(): Promise<string[]> {
    await keeping[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    await using next = await open({ kind: 'sqlite', file });
    return (await next.turns.takeOver()).map(({ id }) => id);
  }

  /** The next quarter of a minute is over, and what is done then has begun. */
  async function nextPass(): Promise<void> {
    await expect.poll(() => clock.pending.filter((delayMs) => delayMs === 15_000).length).toBe(2);
    clock.advance(15_000);
  }

  test('once, however often it takes until that can be done', async () => {
    await crash('a', 'b');
    const told: string[] = [];
    let failures = 2;
    tell = async ({ id }) => {
      if (failures-- > 0) throw new Error('Discord is away');
      told.push(id);
    };
    await keeping.start();
    await nextPass();
    await nextPass();
    await nextPass();
    await nextPass();
    expect(told).toHaveLength(1);
    expect(await owed()).toEqual([]);
  });

  test('by one after the other, however long it takes', async () => {
    await crash('a');
    const telling = Promise.withResolvers<void>();
    const begun: string[] = [];
    tell = ({ id }) => {
      begun.push(id);
      return telling.promise;
    };
    await keeping.start();
    await expect.poll(() => begun).toEqual(['a']);
    await crash('b');
    // The other one that is done every quarter of a minute is.
    await expect.poll(() => clock.pending.filter((delayMs) => delayMs === 15_000).length).toBe(1);
    clock.advance(15_000);
    // More than another pass would need of the store.
    for (let times = 0; times < 20; times++) await store.conversations.describe('channel-1');
    expect(begun).toEqual(['a']);
    telling.resolve();
    await nextPass();
    await expect.poll(() => begun).toEqual(['a', 'b']);
  });

  test('not when that is no news any more', async () => {
    await crash('a');
    {
      await using early = await open({ kind: 'sqlite', file });
      await early.turns.takeOver();
      const { database: direct, dialect } = early.parts;
      const query = dialect.builder.updateTable('turns').set({ ended_ms: Date.now() - 61 * MINUTE_MS });
      await direct.write([{ query: query.compile() }], 'patient');
    }
    let tries = 0;
    tell = async () => {
      tries++;
      throw new Error('Discord is away');
    };
    await keeping.start();
    await nextPass();
    await nextPass();
    expect(tries).toBe(1);
    expect(await owed()).toEqual([]);
  });
});
