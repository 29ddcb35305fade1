import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { DIALECTS, open, startDatabases, type TestDatabases } from './support/stores.ts';
import { ending, hold, idsOf, incoming } from './support/turns.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

/** Takes the tables of today back to the first ones. */
const BACK_TO_THE_FIRST = [
  'alter table turns drop column shown_in',
  'drop table channel_settings',
  'drop table job_pieces',
  'drop table jobs',
  'update schema_version set version = 1',
];

test.each(DIALECTS)('tables of an older Parley on %s are brought up to date, with what they hold', async (dialect) => {
  const location = await databases.fresh(dialect);
  {
    await using store = await open(location);
    await hold(store, incoming('before'));
    for (const statement of BACK_TO_THE_FIRST) {
      const query = sql.raw(statement).compile(store.parts.dialect.builder);
      await store.parts.database.write([{ query }], 'patient');
    }
  }
  // Two processes that start at once: one of them does it.
  const [one, other] = await Promise.all([open(location), open(location)]);
  await using first = one;
  await using second = other;
  expect(await idsOf(first, 'channel-1')).toEqual(['before']);
  expect(await second.turns.receive({ ...incoming('after'), shownIn: 'channel-2' }, 'asked')).toBe('received');
  await second.turns.finish('after', ending());
  await second.settings.put('channel-1', 'guild-1', { voice: 'sage', answers: undefined });
  expect(await idsOf(first, 'channel-1')).toEqual(['before', 'after']);
  expect(await first.settings.load('channel-1')).toMatchObject({ voice: 'sage' });
});
