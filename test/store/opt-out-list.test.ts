import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { OptOutList } from '../../src/store/opt-out-list.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import type { Privacy } from '../../src/store/turn-store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { open } from './support/stores.ts';
import { ending, incoming, T0, utterance } from './support/turns.ts';

let dir: string;
let file: string;
let store: SqlStore;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-opt-out-'));
  file = join(dir, 'parley.db');
  store = await open({ kind: 'sqlite', file });
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

/** Changes as a listener hears them; `next` waits for one. */
function changes() {
  const heard: [string, boolean][] = [];
  let next = Promise.withResolvers<void>();
  return {
    heard,
    next: () => next.promise,
    onChange: (personId: string, optedOut: boolean): void => {
      heard.push([personId, optedOut]);
      next.resolve();
      next = Promise.withResolvers<void>();
    },
  };
}

test('is unknown at first, then known at once, and hears what other processes were told', async () => {
  const clock = new ManualClock();
  const { heard, next, onChange } = changes();
  await store.privacy.setOptedOut('ada', true, T0);
  using list = new OptOutList(store.privacy, clock, onChange);
  expect(list.has('ada')).toBe('unknown');
  const choosing = list.set('cy', true, T0);
  expect([list.has('cy'), list.has('ada')]).toEqual(['unknown', 'unknown']);
  await choosing;
  await list.set('cy', false, T0);
  await list.start();
  expect([list.has('ada'), list.has('bo')]).toEqual([true, false]);
  await using other = await open({ kind: 'sqlite', file });
  await other.privacy.setOptedOut('bo', true, T0);
  await other.privacy.setOptedOut('ada', false, T0);
  expect(list.has('bo')).toBe(false);
  const heardNext = next();
  clock.advance(5000);
  await heardNext;
  expect([list.has('ada'), list.has('bo')]).toEqual([false, true]);
  expect(heard).toEqual([
    ['ada', true],
    ['cy', true],
    ['cy', false],
    ['bo', true],
    ['ada', false],
  ]);
});

test('sound that was kept before the choice was known here is gone afterwards', async () => {
  using list = new OptOutList(store.privacy, new ManualClock(), () => {});
  await list.start();
  await using other = await open({ kind: 'sqlite', file });
  await other.privacy.setOptedOut('ada', true, T0);
  const speech = { format: 'mp3', durationMs: 1000, data: new Uint8Array(8000).fill(7) } as const;
  await store.turns.receive(incoming('late', { utterances: [utterance({ speakerId: 'ada', speech })] }));
  await store.turns.finish('late', ending());
  await list.refresh();
  const { turns } = await store.conversations.load('channel-1', 10);
  expect(turns.map(({ utterances }) => utterances[0]?.speech?.data)).toEqual([undefined]);
});

test('an opt-out that could not be kept counts all the same, and is kept later', async () => {
  const clock = new ManualClock();
  let isAway = true;
  const privacy: Pick<Privacy, 'optedOut' | 'setOptedOut'> = {
    optedOut: () => store.privacy.optedOut(),
    setOptedOut: (...choice) =>
      isAway ? Promise.reject(new StoreError('unavailable', 'away')) : store.privacy.setOptedOut(...choice),
  };
  using list = new OptOutList(privacy, clock, () => {});
  await list.start();
  await expect(list.set('ada', true, T0)).rejects.toMatchObject({ kind: 'unavailable' });
  await list.refresh();
  expect(list.has('ada')).toBe(true);
  isAway = false;
  clock.advance(5000);
  await expect.poll(() => store.privacy.optedOut()).toEqual(new Set(['ada']));
  expect(list.has('ada')).toBe(true);
});

test('an opt-out counts before it is kept, an opt-in only after', async () => {
  const { heard, onChange } = changes();
  using list = new OptOutList(store.privacy, new ManualClock(), onChange);
  await list.start();
  using lock = new DatabaseSync(file, { timeout: 1000 });
  lock.exec('begin immediate');
  const out = list.set('ada', true, T0);
  expect(list.has('ada')).toBe(true);
  lock.exec('rollback');
  await out;
  expect(await store.privacy.optedOut()).toEqual(new Set(['ada']));
  lock.exec('begin immediate');
  const back = list.set('ada', false, T0);
  expect(list.has('ada')).toBe(true);
  lock.exec('rollback');
  await back;
  expect(list.has('ada')).toBe(false);
  expect(heard).toEqual([
    ['ada', true],
    ['ada', false],
  ]);
});

test('what was known stays known while the store is away', async () => {
  await store.privacy.setOptedOut('ada', true, T0);
  const clock = new ManualClock();
  using list = new OptOutList(store.privacy, clock, () => {});
  await list.start();
  await store[Symbol.asyncDispose]();
  await expect(list.refresh()).rejects.toMatchObject({ kind: 'closed' });
  clock.advance(5000);
  expect([list.has('ada'), list.has('bo')]).toEqual([true, false]);
});
