import { join } from 'node:path';

import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { postgresDialect, sqliteDialect } from './dialect.ts';
import type { KeySource } from './key-source.ts';
import { newMasterKey } from './keyring.ts';
import { PostgresDatabase } from './postgres-database.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { SqlStore } from './sql-store.ts';

/** Where the store is. */
export type StoreLocation =
  /** A file, or `:memory:`. */
  | { readonly kind: 'sqlite'; readonly file: string }
  /** A connection string. */
  | { readonly kind: 'postgres'; readonly url: string };

export interface StoreOptions {
  readonly location: StoreLocation;
  /** Master keys from the settings, newest first; `undefined`: those of the key file, which is made when it is missing. */
  readonly keys: string | undefined;
  /** Another key file than {@link keyFileOf} says. */
  readonly keyFile?: string | undefined;
  /** How large an SQLite file may grow, in bytes; `undefined`: as large as the disk. */
  readonly maxBytes?: number | undefined;
  readonly clock: Clock;
  /** Hears of what goes wrong without failing anything; the rest is said by the store's health, and by its errors. */
  readonly log?: Log | undefined;
}

/** Where the key file of a store without configured keys is: beside the database, or in the folder of data. */
export function keyFileOf(location: StoreLocation): string {
  return location.kind === 'sqlite' ? `${location.file}.key` : join('data', 'parley.key');
}

/**
 * Opens a store. Never fails: a database that cannot be opened is tried again until it can, and the store's health says so.
 * `ready()` tells how the first try went.
 */
export function openStore({ location, keys, keyFile, maxBytes, clock, log }: StoreOptions): SqlStore {
  const engine =
    location.kind === 'sqlite'
      ? { database: new SqliteDatabase({ file: location.file, maxBytes }), dialect: sqliteDialect() }
      : { database: new PostgresDatabase(location.url, log), dialect: postgresDialect() };
  return new SqlStore({ ...engine, keys: keySource(location, keys, keyFile), clock });
}

function keySource(location: StoreLocation, keys: string | undefined, keyFile: string | undefined): KeySource {
  // What is gone with the process needs no key that stays.
  const isPassing = location.kind === 'sqlite' && location.file === ':memory:';
  if (isPassing) return { given: keys ?? newMasterKey(), file: undefined };
  return { given: keys, file: keyFile ?? keyFileOf(location) };
}
