import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openStore, type StoreLocation } from '../../../src/store/open-store.ts';
import type { SqlStore } from '../../../src/store/sql-store.ts';
import { monotonicClock, type Clock } from '../../../src/time/clock.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';

export const DIALECTS = ['sqlite', 'postgres'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** A master key for tests. */
export const KEY = Buffer.alloc(32, 'parley').toString('base64');

/** Empty databases of both kinds, on real servers and real files. */
export interface TestDatabases extends AsyncDisposable {
  fresh(dialect: Dialect): Promise<StoreLocation>;
  /** A folder that is deleted at the end. */
  readonly dir: string;
  readonly postgres: TestPostgres;
}

export async function startDatabases(): Promise<TestDatabases> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-store-'));
  const postgres = await startPostgres();
  let files = 0;
  return {
    dir,
    postgres,
    async fresh(dialect) {
      if (dialect === 'sqlite') return { kind: 'sqlite', file: join(dir, `${++files}`, 'parley.db') };
      return { kind: 'postgres', url: await postgres.createDatabase() };
    },
    async [Symbol.asyncDispose]() {
      await postgres[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Opens a store with the key of tests, as one process would. */
export async function open(location: StoreLocation, clock: Clock = monotonicClock): Promise<SqlStore> {
  const store = openStore({ location, keys: KEY, clock });
  await store.ready();
  return store;
}
