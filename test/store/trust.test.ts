import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { openStore, type StoreLocation } from '../../src/store/open-store.ts';
import { isSurelyDead, thisProcess } from '../../src/store/process-identity.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { DIALECTS, open, startDatabases, type TestDatabases } from './support/stores.ts';
import { ending, hold, idsOf, incoming, utterance } from './support/turns.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

describe.each(DIALECTS)('what is found on %s', (dialect) => {
  let location: StoreLocation;
  let store: SqlStore;
  beforeEach(async () => {
    location = await databases.fresh(dialect);
    store = await open(location);
    await hold(store, incoming('a', { utterances: [utterance(), utterance({ speakerId: 'bo', text: 'other' })] }));
    return () => store[Symbol.asyncDispose]();
  });

  /** Changes rows as somebody with access to the database could. */
  const tamper = async (statement: string): Promise<void> => {
    const query = sql.raw(statement).compile(store.parts.dialect.builder);
    await store.parts.database.write([{ query }], 'patient');
  };

  test('tables of a newer Parley are left alone', async () => {
    await tamper('update schema_version set version = 1000');
    await store[Symbol.asyncDispose]();
    await using older = openStore({ location, keys: undefined, clock: monotonicClock });
    await expect(older.ready()).rejects.toMatchObject({ kind: 'newer-schema', shouldRetry: false });
    await expect(older.turns.receive(incoming('b'))).rejects.toMatchObject({ kind: 'newer-schema' });
    expect(older.health.state).toMatchObject({ kind: 'failing', error: { kind: 'newer-schema' } });
  });

  test('another key opens nothing, says what to do, and writes nothing', async () => {
    await store[Symbol.asyncDispose]();
    const keys = Buffer.alloc(32, 'other').toString('base64');
    await using stranger = openStore({ location, keys, clock: monotonicClock });
    await expect(stranger.ready()).rejects.toMatchObject({
      kind: 'wrong-key',
      message: expect.stringContaining('bring'),
    });
    await expect(stranger.conversations.load('channel-1', 10)).rejects.toMatchObject({ kind: 'wrong-key' });
    await expect(stranger.turns.receive(incoming('b'))).rejects.toMatchObject({ kind: 'wrong-key' });
    store = await open(location);
    expect(await idsOf(store, 'channel-1')).toEqual(['a']);
  });

  test.each([
    ['words moved to another row', 'update utterances set text = (select text from utterances where ordinal = 1)'],
    ['a name put in the place of words', 'update utterances set text = name'],
    ['a reply put in the place of a name', 'update utterances set name = (select reply from turns)'],
    ['bytes that are not sealed', "update turns set reply = cast('plain' as BYTES)"],
  ])('altered: %s', async (_, statement) => {
    await tamper(statement.replace('BYTES', dialect === 'sqlite' ? 'blob' : 'bytea'));
    await expect(store.conversations.load('channel-1', 10)).rejects.toMatchObject({ kind: 'corrupt' });
    // One bad row is not the end of the store.
    expect(store.health.state.kind).toBe('ok');
    expect(await store.turns.receive(incoming('b', { conversationId: 'channel-3' }))).toBe('received');
  });

  test('altered: a turn moved to another channel does not open there', async () => {
    await hold(store, incoming('b', { conversationId: 'channel-2' }));
    await tamper("update utterances set conversation_id = 'channel-2'");
    await tamper("update turns set conversation_id = 'channel-2', position = 9 where id = 'a'");
    await expect(store.conversations.load('channel-2', 10)).rejects.toMatchObject({ kind: 'corrupt' });
  });

  test('a process elsewhere keeps its turns while it says that it lives, and loses them when it stops saying so', async () => {
    await store.turns.receive(incoming('open'));
    await using other = await open(location);
    await tamper(`update owners set machine = 'elsewhere' where id = '${store.parts.lease.ownerId}'`);
    expect(await other.turns.takeOver()).toEqual([]);
    await tamper(`update owners set expires_ms = 0 where id = '${store.parts.lease.ownerId}'`);
    await using third = await open(location);
    expect(await third.turns.takeOver()).toMatchObject([{ id: 'open' }]);
    expect(await store.turns.advance('open', 'asked')).toBe('refused');
    expect(await store.turns.finish('open', ending())).toBe('refused');
  });

  test('nothing that was said can be read in the database', async () => {
    const { builder } = store.parts.dialect;
    const tables = await store.parts.database.read(
      [
        builder.selectFrom('turns').selectAll().compile(),
        builder.selectFrom('utterances').selectAll().compile(),
        builder.selectFrom('conversations').selectAll().compile(),
      ],
      'patient',
    );
    const text = tables
      .flatMap((rows) => rows.flatMap((row) => Object.values(row)))
      .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)));
    for (const said of ['hello', 'other', 'Ada', 'yourself']) expect(text.join('\n')).not.toContain(said);
  });
});

test('a process knows itself, and that there are others', () => {
  const own = thisProcess();
  expect(isSurelyDead(own)).toBe(false);
  expect(isSurelyDead({ ...own, process: `${process.pid} 1` })).toBe(true);
  expect(isSurelyDead({ ...own, process: '999999999 1' })).toBe(true);
  expect(isSurelyDead({ machine: 'elsewhere', process: '999999999 1' })).toBe(false);
});
