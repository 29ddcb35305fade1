import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { JobPiece, KeptJob } from '../../src/store/job-store.ts';
import type { StoreLocation } from '../../src/store/open-store.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { DIALECTS, open, startDatabases, type TestDatabases } from './support/stores.ts';
import { idsOf, incoming, T0 } from './support/turns.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

function job(id: string, changes: Partial<KeptJob> = {}): KeptJob {
  return {
    id,
    kind: 'transcription',
    conversationId: 'channel-1',
    guildId: 'guild-1',
    channelId: 'channel-1',
    messageId: 'message-1',
    askedById: 'ada',
    atMs: T0,
    parameters: '{"file":"👩‍👧 memo.mp3"}',
    ...changes,
  };
}

function piece(index: number): JobPiece {
  return {
    index,
    json: `{"text":"piece ${index}"}`,
    data: index % 2 ? Uint8Array.of(1, 2, index) : undefined,
  };
}

async function idsTaken(store: SqlStore, kind: KeptJob['kind'] = 'transcription'): Promise<string[]> {
  return (await store.jobs.takeOver(kind)).map(({ id }) => id);
}

describe.each(DIALECTS)('long work on %s', (dialect) => {
  let location: StoreLocation;
  let store: SqlStore;
  beforeAll(async () => {
    location = await databases.fresh(dialect);
    store = await open(location);
  });
  afterAll(() => store[Symbol.asyncDispose]());

  test('is gone on with after its process has ended, with all its pieces, by one other', async () => {
    const before = await open(location);
    const wish = job('interaction:1');
    expect(await before.jobs.begin(wish)).toBe('begun');
    // More than are read at once, and not in order.
    const indexes = Array.from({ length: 45 }, (_, i) => i);
    for (const index of indexes.toReversed()) expect(await before.jobs.keepPiece(wish.id, piece(index))).toBe('kept');
    expect(await before.jobs.keepPiece(wish.id, { index: 3, json: '"again"', data: undefined })).toBe('kept');
    expect(await idsTaken(store), 'its process lives').toEqual([]);
    await before[Symbol.asyncDispose]();
    expect(await idsTaken(store, 'narration'), 'of another kind').toEqual([]);
    await using other = await open(location);
    const taken = await Promise.all([store.jobs.takeOver('transcription'), other.jobs.takeOver('transcription')]);
    expect(taken.flat()).toEqual([{ ...wish, takeOvers: 1 }]);
    const mine = taken[0].length > 0 ? store : other;
    expect(await Array.fromAsync(mine.jobs.pieces(wish.id))).toEqual(indexes.map(piece));
    expect(await Array.fromAsync(mine.jobs.pieces(wish.id, 43))).toEqual([piece(43), piece(44)]);
    const notMine = mine === store ? other : store;
    expect(await notMine.jobs.keepPiece(wish.id, piece(45))).toBe('refused');
    await notMine.jobs.end(wish.id);
    await mine.jobs.moveMessage(wish.id, 'message-2');
    expect(await mine.jobs.keepPiece(wish.id, piece(45))).toBe('kept');
    await mine[Symbol.asyncDispose]();
    expect(await notMine.jobs.takeOver('transcription')).toEqual([{ ...wish, messageId: 'message-2', takeOvers: 1 }]);
    await notMine.jobs.end(wish.id);
    expect(await Array.fromAsync(notMine.jobs.pieces(wish.id))).toEqual([]);
    if (notMine === other) store = await open(location);
  });

  test('that cannot be read any more keeps nobody from going on with the rest', async () => {
    const before = await open(location);
    for (const id of ['one', 'altered', 'two']) await before.jobs.begin(job(id));
    const { database, dialect } = store.parts;
    const altered = dialect.builder
      .updateTable('jobs')
      .set({ parameters: Uint8Array.of(1, 2, 3) })
      .where('id', '=', 'altered')
      .compile();
    await database.write([{ query: altered, mustChange: 1 }], 'patient');
    await before[Symbol.asyncDispose]();
    expect(await idsTaken(store)).toEqual(['one', 'two']);
    await expect(idsTaken(store), 'says so when there is nothing else').rejects.toMatchObject({ kind: 'corrupt' });
    await store.privacy.forgetConversation('channel-1');
  });

  test('that is done here, or has ended here, is not gone on with here', async () => {
    await store.jobs.begin(job('ended'));
    await store.jobs.begin(job('running'));
    await store.jobs.end('ended');
    expect(await idsTaken(store)).toEqual([]);
    await store.jobs.end('running');
  });

  test('says how often it was taken over without a step forward', async () => {
    let owner = await open(location);
    await owner.jobs.begin(job('interaction:2'));
    const counts: number[] = [];
    for (const step of [false, false, true, false]) {
      if (step) await owner.jobs.keepPiece('interaction:2', piece(0));
      await owner[Symbol.asyncDispose]();
      owner = await open(location);
      counts.push(...(await owner.jobs.takeOver('transcription')).map(({ takeOvers }) => takeOvers));
    }
    expect(counts).toEqual([1, 2, 1, 2]);
    await owner.jobs.end('interaction:2');
    await owner[Symbol.asyncDispose]();
  });

  test('begins once, whoever is told of it', async () => {
    await using other = await open(location);
    const outcomes = await Promise.all([store, other].map(({ jobs }) => jobs.begin(job('interaction:3'))));
    expect(outcomes.toSorted()).toEqual(['begun', 'duplicate']);
    for (const { jobs } of [store, other]) await jobs.end('interaction:3');
  });

  test('is forgotten with its conversation, its server, and whoever asked for it', async () => {
    await store.jobs.begin(job('a'));
    await store.jobs.begin(job('b', { askedById: 'bo', conversationId: 'channel-2' }));
    await store.jobs.begin(job('c', { guildId: 'guild-2', conversationId: 'channel-3' }));
    for (const id of ['a', 'b', 'c']) await store.jobs.keepPiece(id, piece(1));
    const left = async (): Promise<string[]> => {
      const kept = await Promise.all(
        ['a', 'b', 'c'].map(async (id) => ((await Array.fromAsync(store.jobs.pieces(id))).length > 0 ? id : '')),
      );
      return kept.filter((id) => id !== '');
    };
    await store.privacy.forgetPerson('bo', 'guild-1');
    expect(await left()).toEqual(['a', 'c']);
    await store.privacy.forgetConversation('channel-1');
    expect(await left()).toEqual(['c']);
    expect(await store.jobs.keepPiece('a', piece(2))).toBe('refused');
    await store.privacy.forgetGuild('guild-2');
    expect(await left()).toEqual([]);
  });

  test('is swept when it never ended, and its conversation with it', async () => {
    await store.jobs.begin(job('old', { conversationId: 'channel-4' }));
    await store.jobs.begin(job('new', { conversationId: 'channel-4', atMs: T0 + 1000 }));
    const limits = { nowMs: T0 + 5000, turnsBeforeMs: T0 + 4000, speechBeforeMs: T0 + 500 };
    await store.privacy.sweep(limits);
    expect(await store.jobs.keepPiece('old', piece(0))).toBe('refused');
    expect(await store.jobs.keepPiece('new', piece(0))).toBe('kept');
    await store.privacy.sweep({ ...limits, speechBeforeMs: T0 + 4000 });
    expect(await store.jobs.keepPiece('new', piece(1))).toBe('refused');
    expect((await store.conversations.load('channel-4', 1)).revision).toBe('none');
  });

  test('holds nothing readable, and turns and work of a conversation share its key', async () => {
    await store.turns.receive(incoming('turn', { conversationId: 'channel-5' }));
    await store.jobs.begin(job('sealed', { conversationId: 'channel-5' }));
    await store.jobs.keepPiece('sealed', { index: 0, json: '"plainly"', data: Buffer.from('plainly') });
    const { database, dialect } = store.parts;
    const rows = await database.read(
      [
        dialect.builder.selectFrom('jobs').select('parameters as sealed').where('id', '=', 'sealed').compile(),
        dialect.builder.selectFrom('job_pieces').select(['facts', 'sound']).where('job_id', '=', 'sealed').compile(),
      ],
      'patient',
    );
    const bytes = rows.flat().flatMap((row) => Object.values(row).map((value) => Buffer.from(value ?? [])));
    expect(bytes).toHaveLength(3);
    for (const word of ['plainly', 'memo']) expect(bytes.some((value) => value.includes(word))).toBe(false);
    expect(await idsOf(store, 'channel-5')).toEqual([]);
    await store.privacy.forgetConversation('channel-5');
    await store.privacy.forgetGuild('guild-1');
  });
});
