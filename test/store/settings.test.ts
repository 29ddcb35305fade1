import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { exportStore } from '../../src/store/export-store.ts';
import { fromLine, toLine } from '../../src/store/export-format.ts';
import { importRecords } from '../../src/store/import-store.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { DIALECTS, open, startDatabases, type TestDatabases } from './support/stores.ts';
import { hold, incoming, T0 } from './support/turns.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

describe.each(DIALECTS)('what is chosen for a channel, on %s', (dialect) => {
  test('is kept over a restart, each choice by itself', async () => {
    const location = await databases.fresh(dialect);
    {
      await using store = await open(location);
      expect(await store.settings.load('channel-1')).toBeUndefined();
      await store.settings.put('channel-1', 'guild-1', { voice: 'coral', answers: undefined });
      await store.settings.put('channel-1', 'guild-1', { voice: undefined, answers: 'off' });
      await store.settings.put('channel-2', 'guild-1', { voice: undefined, answers: 'name' });
      await store.settings.put('channel-1', 'guild-1', { voice: 'ash', answers: undefined });
    }
    await using store = await open(location);
    expect(await store.settings.load('channel-1')).toEqual({ voice: 'ash', answers: 'off' });
    expect(await store.settings.load('channel-2')).toEqual({ voice: undefined, answers: 'name' });
    await store.settings.remove('channel-1');
    expect(await store.settings.load('channel-1')).toBeUndefined();
  });

  test('goes with its server when that is due, and stays when what was said is forgotten', async () => {
    await using store = await open(await databases.fresh(dialect));
    for (const guild of ['guild-1', 'guild-2']) {
      await store.settings.put(`channel-of-${guild}`, guild, { voice: 'coral', answers: 'always' });
    }
    await hold(store, incoming('a'));
    await store.privacy.forgetConversation('channel-1');
    await store.privacy.forgetGuild('guild-1');
    const sweep = (nowMs: number) => store.privacy.sweep({ nowMs, turnsBeforeMs: T0, speechBeforeMs: T0 });
    await store.privacy.scheduleGuildDeletion('guild-1', T0 + 1000);
    await sweep(T0);
    expect(await chosenFor(store, 'guild-1')).toBe('coral');
    await sweep(T0 + 2000);
    expect(await chosenFor(store, 'guild-1')).toBeUndefined();
    expect(await chosenFor(store, 'guild-2')).toBe('coral');
  });

  test('is exported and imported', async () => {
    await using source = await open(await databases.fresh('sqlite'));
    await source.settings.put('channel-1', 'guild-1', { voice: 'coral', answers: undefined });
    await source.settings.put('channel-2', 'guild-1', { voice: undefined, answers: 'button' });
    const exported = await Array.fromAsync(exportStore(source));
    expect(exported.map((record, index) => fromLine(toLine(record), index))).toEqual(exported);
    await using target = await open(await databases.fresh(dialect));
    await importRecords(target, exportStore(source), () => {});
    expect(await Array.fromAsync(exportStore(target))).toEqual(exported);
    expect(exported).toHaveLength(2);
  });
});

async function chosenFor(store: SqlStore, guild: string): Promise<string | undefined> {
  return (await store.settings.load(`channel-of-${guild}`))?.voice;
}
