import { createHash } from 'node:crypto';

import type { CompiledQuery } from 'kysely';
import { DatabaseError, Pool, types, type PoolClient, type QueryResult } from 'pg';

import type { Log } from '../telemetry/log.ts';
import type { Database, RowsOf, WriteOutcome, WriteStatement } from './database.ts';
import { StoreError, type StoreTrouble } from './store-error.ts';

/** A server that does not answer within this is down for us. */
const CONNECT_LIMIT_MS = 2000;
const MAX_CONNECTIONS = 10;
/** The server ends a statement that takes too long by itself; only a dead server is given up from here, a moment later. */
const GRACE_MS = 500;

/** Somebody may wait for it; what it does not get done in this time PostgreSQL does by itself later. */
const CLEAN_UP_LIMIT_MS = 5000;
/** Where something sealed is kept, or a key. */
const SEALED_TABLES = ['conversations', 'turns', 'utterances', 'speech', 'summaries', 'jobs', 'job_pieces'];

const BEGIN_READ = 'begin isolation level repeatable read read only';
/** A commit that a crash of the server may lose is no commit, whatever the server's default is. */
const BEGIN_WRITE =
  "begin; select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'";

/** int8 and numeric come as texts, because they may be larger than a number can say; ours never are. */
const NUMBER_OIDS: ReadonlySet<number> = new Set([20, 1700]);

/** PostgreSQL through a pool of connections. */
export class PostgresDatabase implements Database {
  readonly #pool: Pool;
  readonly #log: Log | undefined;
  #cleaningUp: Promise<void> = Promise.resolve();
  #nextCleanUp: Promise<void> | undefined;

  /** `log` hears of a clean-up that failed. */
  constructor(url: string, log?: Log) {
    this.#log = log;
    this.#pool = new Pool({
      connectionString: url,
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      keepAlive: true,
      application_name: 'parley',
      types: {
        getTypeParser: (oid, format) => (NUMBER_OIDS.has(oid) ? Number : types.getTypeParser(oid, format)),
      },
    });
    // Without a listener the end of an idle connection would be the end of the process. Whoever uses the connection next
    // gets a rejection, or a new connection.
    this.#pool.on('error', () => {});
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /** The pool connects by itself. */
  readonly isOpen = true;

  open(): Promise<void> {
    return Promise.resolve();
  }

  read<const Queries extends readonly CompiledQuery[]>(queries: Queries, limitMs: number): Promise<RowsOf<Queries>>;
  async read(queries: readonly CompiledQuery[], limitMs: number): Promise<readonly (readonly unknown[])[]> {
    return this.#transaction(BEGIN_READ, limitMs, async (run) => {
      const results: unknown[][] = [];
      for (const query of queries) results.push((await run(query)).rows);
      await run('commit');
      return results;
    });
  }

  write(statements: readonly WriteStatement[], limitMs: number): Promise<WriteOutcome> {
    return this.#transaction(BEGIN_WRITE, limitMs, async (run): Promise<WriteOutcome> => {
      const changedRows: number[] = [];
      for (const [index, { query, mustChange }] of statements.entries()) {
        const changes = (await run(query)).rowCount ?? 0;
        if (mustChange !== undefined && changes !== mustChange) {
          await run('rollback');
          return { committed: false, unmet: index };
        }
        changedRows.push(changes);
      }
      await run('commit');
      return { committed: true, changedRows };
    });
  }

  /**
   * Has PostgreSQL clean up, so that no query of any kind finds deleted rows any more. Their bytes stay in its files until
   * others take their place, and longer in its journal and in backups. They are sealed: of a conversation that was forgotten
   * they open only with an older copy of its key, which the master key of that time wraps, and no more once that one is
   * destroyed. What was taken out of a conversation that goes on opens with its key, which is still here.
   *
   * Blocks nobody and never rejects: what was deleted is deleted whether or not this succeeds.
   */
  scrub(): Promise<void> {
    // One at a time. Those who ask meanwhile share the next, which finds what they deleted.
    this.#nextCleanUp ??= this.#cleaningUp.then(() => {
      this.#nextCleanUp = undefined;
      this.#cleaningUp = this.#cleanUp();
      return this.#cleaningUp;
    });
    return this.#nextCleanUp;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #cleanUp(): Promise<void> {
    const timed = { query_timeout: CLEAN_UP_LIMIT_MS + GRACE_MS };
    let client: PoolClient | undefined;
    try {
      client = await this.#pool.connect();
      // Each by itself: what cleans up must be in no transaction.
      await client.query({ text: `set statement_timeout = ${CLEAN_UP_LIMIT_MS}`, ...timed });
      await client.query({ text: `vacuum ${SEALED_TABLES.join(', ')}`, ...timed });
    } catch (error) {
      this.#log?.warn({ err: storeError(error) }, 'PostgreSQL did not clean up at once what was deleted');
    } finally {
      // With its limit, which is not that of others.
      client?.release(true);
    }
  }

  async #transaction<T>(begin: string, limitMs: number, work: (run: Run) => Promise<T>): Promise<T> {
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw storeError(error);
    }
    let fault: unknown;
    // query_timeout is known to the driver, but not to its types.
    const timed = { query_timeout: limitMs + GRACE_MS };
    const run: Run = (query) =>
      typeof query === 'string'
        ? client.query({ text: query, ...timed })
        : client.query({ name: nameOf(query.sql), text: query.sql, values: [...query.parameters], ...timed });
    try {
      // Without values several statements go in one round trip.
      await client.query({ text: `${begin}; set local statement_timeout = ${Math.ceil(limitMs)}`, ...timed });
      return await work(run);
    } catch (error) {
      fault = error;
      if (error instanceof DatabaseError && error.code !== PLAN_IS_STALE) {
        await run('rollback').then(
          () => (fault = undefined),
          () => {},
        );
      }
      throw storeError(error);
    } finally {
      // A connection that failed otherwise than by an answer is in a state nobody knows.
      client.release(fault !== undefined);
    }
  }
}

/** Names a statement, so that a connection plans it once and not for each turn: planning takes longer than running. */
function nameOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 20);
}

type Run = (query: CompiledQuery | string) => Promise<QueryResult>;

/** A table was changed by a newer process: another connection plans anew. */
const PLAN_IS_STALE = '0A000';

/** SQLSTATE codes of https://www.postgresql.org/docs/current/errcodes-appendix.html, whole or by their class. */
const TROUBLES: ReadonlyMap<string, StoreTrouble> = new Map([
  ['08', 'unavailable'],
  [PLAN_IS_STALE, 'unavailable'],
  ['25006', 'read-only'],
  ['28', 'refused'],
  ['3D', 'refused'],
  ['40', 'locked'],
  ['42501', 'refused'],
  ['53100', 'full'],
  ['53', 'unavailable'],
  ['55P03', 'locked'],
  ['57', 'unavailable'],
  ['58', 'unavailable'],
  ['XX001', 'corrupt'],
  ['XX002', 'corrupt'],
]);

function storeError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof DatabaseError) {
    const code = error.code ?? '';
    const kind = TROUBLES.get(code) ?? TROUBLES.get(code.slice(0, 2)) ?? 'internal';
    // The message of a constraint or of bad input may quote values; the code says enough.
    return new StoreError(kind, `PostgreSQL: ${code}`, { cause: kind === 'internal' ? error.message : error });
  }
  if (error instanceof TypeError || error instanceof RangeError) {
    return new StoreError('internal', 'the driver refused', { cause: error });
  }
  // Everything else is the connection: it cannot be made, broke, or does not answer.
  return new StoreError('unavailable', 'PostgreSQL does not answer', { cause: error });
}
