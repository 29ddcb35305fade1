import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { fromLine, toLine } from '../../src/store/export-format.ts';
import { exportStore } from '../../src/store/export-store.ts';
import { importRecords, type Imported } from '../../src/store/import-store.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import type { ExportRecord } from '../../src/store/turn-store.ts';
import { DIALECTS, open, startDatabases, type TestDatabases } from './support/stores.ts';
import { ending, hold, idsOf, incoming, T0, utterance } from './support/turns.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

/** Moves a store through the text of an export. */
function move(source: SqlStore, target: SqlStore): Promise<Imported> {
  async function* records(): AsyncGenerator<ExportRecord, void, undefined> {
    for await (const record of exportStore(source)) {
      const read = fromLine(toLine(record), 1);
      if (read.type !== 'parley-export' && read.type !== 'end') yield read;
    }
  }
  return importRecords(target, records(), () => {});
}

describe.each(DIALECTS)('a store that was moved to %s', (dialect) => {
  test('forgets a person also where only the summary still holds what they said', async () => {
    await using source = await open(await databases.fresh('sqlite'));
    await using target = await open(await databases.fresh(dialect));
    const bo = utterance({ speakerId: 'bo', speakerName: 'Bo' });
    await hold(source, incoming('from-ada'), ending({ atMs: T0 }));
    await hold(source, incoming('from-bo', { atMs: T0 + 9000, utterances: [bo] }), ending({ atMs: T0 + 9000 }));
    const { revision } = await source.conversations.load('channel-1', 1);
    const summary = { text: 'Ada said that she is moving to Graz', throughPosition: 2, madeAtMs: T0 + 9000 };
    await source.conversations.putSummary('channel-1', summary, revision);
    await source.privacy.sweep({ nowMs: T0, turnsBeforeMs: T0 + 5000, speechBeforeMs: T0 });
    await move(source, target);
    expect((await target.conversations.load('channel-1', 10)).summary).toEqual(summary);
    expect(await target.conversations.describe('channel-1')).toMatchObject({ turns: 1, people: [{ id: 'bo' }] });
    await target.privacy.forgetPerson('ada', 'guild-1');
    expect((await target.conversations.load('channel-1', 10)).summary).toBeUndefined();
    expect(await target.conversations.describe('channel-1')).toMatchObject({ turns: 1 });
  });

  test.each([
    ['next', ['before', 'open']],
    ['after another one', ['before', 'other', 'open']],
  ])('has a turn that was open with its reply, when it ends %s and the move is made again', async (_, ids) => {
    await using source = await open(await databases.fresh('sqlite'));
    await using target = await open(await databases.fresh(dialect));
    await hold(source, incoming('before'));
    await source.turns.receive(incoming('open'));
    expect(await move(source, target)).toMatchObject({ turns: 1, skipped: 0 });
    expect(await idsOf(target, 'channel-1')).toEqual(['before']);
    if (ids.includes('other')) await hold(source, incoming('other'));
    await source.turns.finish('open', ending({ reply: { text: 'at last', audio: undefined } }));
    expect(await move(source, target)).toMatchObject({ turns: ids.length - 1, skipped: 1 });
    const { turns } = await target.conversations.load('channel-1', 10);
    expect(turns.map(({ id }) => id)).toEqual(ids);
    expect(turns.at(-1)).toMatchObject({ state: 'done', reply: { text: 'at last' } });
  });
});
