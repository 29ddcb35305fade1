import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { postgresDialect, sqliteDialect } from '../../src/store/dialect.ts';
import { PostgresDatabase } from '../../src/store/postgres-database.ts';
import { SqliteDatabase } from '../../src/store/sqlite-database.ts';
import { SqlStore } from '../../src/store/sql-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { InterposedDatabase } from './support/interposed-database.ts';
import { DIALECTS, KEY, open, startDatabases, type TestDatabases } from './support/stores.ts';
import { ending, hold, idsOf, incoming, T0, utterance } from './support/turns.ts';

/** A fault that no patience helps against. */
const broken = new StoreError('internal', 'broken');

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

/** What another process does between what an operation reads and what it writes. */
describe.each(DIALECTS)('in the middle of an operation on %s', (dialect) => {
  let between: InterposedDatabase;
  let store: SqlStore;
  let other: SqlStore;
  beforeEach(async () => {
    const location = await databases.fresh(dialect);
    const engine =
      location.kind === 'sqlite'
        ? { inner: new SqliteDatabase({ file: location.file, maxBytes: undefined }), dialect: sqliteDialect() }
        : { inner: new PostgresDatabase(location.url), dialect: postgresDialect() };
    between = new InterposedDatabase(engine.inner);
    store = new SqlStore({
      database: between,
      dialect: engine.dialect,
      keys: { given: KEY, file: undefined },
      clock: monotonicClock,
    });
    await store.ready();
    other = await open(location);
    await hold(other, incoming('before'));
    return async () => {
      await store[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    };
  });

  const beginAnew = async (): Promise<void> => {
    await other.privacy.forgetConversation('channel-1');
    await hold(other, incoming('anew'));
  };

  test('the conversation is forgotten: a turn that begins, begins it anew', async () => {
    between.beforeNextWrite(async () => void (await other.privacy.forgetConversation('channel-1')));
    await hold(store, incoming('a'));
    expect(await idsOf(store, 'channel-1')).toEqual(['a']);
  });

  test('the conversation is forgotten and begun anew: a turn that begins is sealed with the new key', async () => {
    between.beforeNextWrite(beginAnew);
    await hold(store, incoming('a'));
    expect(await idsOf(store, 'channel-1')).toEqual(['anew', 'a']);
    between.beforeNextWrite(beginAnew);
    await store.turns.record(incoming('b'), ending());
    expect(await idsOf(store, 'channel-1')).toEqual(['anew', 'b']);
  });

  test('the same event is received elsewhere: it is a duplicate here', async () => {
    between.beforeNextWrite(async () => void (await other.turns.receive(incoming('a'))));
    expect(await store.turns.receive(incoming('a'))).toBe('duplicate');
    expect(await store.turns.finish('a', ending())).toBe('refused');
    expect(await other.turns.finish('a', ending())).toBe('changed');
  });

  test('the conversation is forgotten and begun anew: a turn that ends is not written into the new one', async () => {
    await store.turns.receive(incoming('a'));
    between.beforeNextWrite(beginAnew);
    expect(await store.turns.finish('a', ending())).toBe('refused');
    expect(await idsOf(store, 'channel-1')).toEqual(['anew']);
    expect((await store.conversations.load('channel-1', 1)).turns[0]?.position).toBe(1);
  });

  test('a person is forgotten: a summary that may hold their words is refused, and so is a transcript of them', async () => {
    await hold(other, incoming('b', { utterances: [utterance(), utterance({ speakerId: 'bo', speech: undefined })] }));
    const { revision } = await store.conversations.load('channel-1', 10);
    between.beforeNextWrite(async () => void (await other.privacy.forgetPerson('bo', 'guild-1')));
    const summary = { text: 'Bo said', throughPosition: 2, madeAtMs: T0 };
    expect(await store.conversations.putSummary('channel-1', summary, revision)).toBe('refused');
    between.beforeNextWrite(async () => void (await other.privacy.forgetPerson('ada', 'guild-1')));
    expect(await store.turns.addTranscript('b', 0, 'words')).toBe('refused');
    expect(await store.conversations.load('channel-1', 10)).toMatchObject({ summary: undefined, turns: [] });
  });

  test('the store fails between two turns that are taken over: neither gets lost', async () => {
    await other.turns.receive(incoming('first'));
    await other.turns.receive(incoming('second', { atMs: T0 + 1 }));
    await other[Symbol.asyncDispose]();
    between.beforeNextWrite(async () => between.beforeNextWrite(() => Promise.reject(broken)));
    await expect(store.turns.takeOver()).rejects.toBe(broken);
    expect((await store.turns.takeOver()).map(({ id }) => id)).toEqual(['first', 'second']);
  });

  test('the store fails when work ends: it is not gone on with, neither here nor after this process', async () => {
    const where = { conversationId: 'channel-1', guildId: 'guild-1', channelId: 'channel-1', messageId: 'message-1' };
    await store.jobs.begin({ ...where, id: 'w', kind: 'narration', askedById: 'ada', atMs: T0, parameters: '{}' });
    between.beforeNextWrite(() => Promise.reject(broken));
    await expect(store.jobs.end('w')).rejects.toBe(broken);
    expect(await store.jobs.takeOver('narration')).toEqual([]);
    await store[Symbol.asyncDispose]();
    expect(await other.jobs.takeOver('narration')).toEqual([]);
  });
});
