import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type RawBuilder,
} from 'kysely';

import type { Schema } from './schema.ts';

/** What differs between the two databases' SQL. Everything else is written once. */
export interface SqlDialect {
  /** Builds and compiles queries; it has no connection. `Database` runs what it compiles. */
  readonly builder: Kysely<Schema>;
  readonly bytes: RawBuilder<unknown>;
  /** The database's own clock in milliseconds since the epoch: one clock for all processes that share it. */
  readonly nowMs: RawBuilder<number>;
  /** How many tables there are that hold the version: none in an empty database. */
  readonly countVersionTables: CompiledQuery<{ found: number }>;
  /** Keeps other processes from changing the tables until this transaction ends; SQLite has one writer anyway. */
  readonly lockTables: CompiledQuery | undefined;
}

/** Any number, the same in every version: names the lock under which tables are changed. */
const MIGRATION_LOCK = 7_275_3591;

export function sqliteDialect(): SqlDialect {
  const builder = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  return {
    builder,
    bytes: sql`blob`,
    nowMs: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
    countVersionTables: sql<{ found: number }>`
      select count(*) as found from sqlite_master where name = 'schema_version'`.compile(builder),
    lockTables: undefined,
  };
}

export function postgresDialect(): SqlDialect {
  const builder = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  return {
    builder,
    bytes: sql`bytea`,
    nowMs: sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`,
    // Found where names without a schema are looked for.
    countVersionTables: sql<{ found: number }>`
      select count(*) as found from (values (to_regclass('schema_version'))) as tables (name) where name is not null`.compile(
      builder,
    ),
    lockTables: sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.compile(builder),
  };
}
