import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

import { StoreError, type StoreTrouble } from './store-error.ts';

/** A compiled query as it crosses to the thread. */
export interface SqliteStatement {
  readonly sql: string;
  readonly parameters: readonly SQLInputValue[];
  readonly mustChange?: number | undefined;
}

export interface SqliteOptions {
  /** A file, or `:memory:`. */
  readonly file: string;
  /** How large the file may grow; nothing: as large as the disk. */
  readonly maxBytes: number | undefined;
}

export type SqliteWriteOutcome =
  | { readonly committed: true; readonly changedRows: readonly number[] }
  | { readonly committed: false; readonly unmet: number };

/** Several processes may open the file at once, and one of them recovers it after a crash. */
const OPEN_LOCK_WAIT_MS = 5000;
/** SQLite waits this long for a lock in one go; meanwhile nobody can read. Waiting longer is trying again. */
const LOCK_WAIT_MS = 10;
/** After it waited in vain, writes are refused at once for this long: reads go on, however many writes wait. */
const LOCK_REST_MS = 20;
const MAX_STATEMENTS = 200;
const PAGE_BYTES = 4096;

/** Nothing is wrong with the connection then, so it stays: {@link SqliteConnection.isFatal} knows this by its kind. */
export const TOO_LATE = 'the disk is too slow, or has too much to do';

/** Primary result codes of https://sqlite.org/rescode.html. */
const TROUBLES: ReadonlyMap<number, StoreTrouble> = new Map([
  [3, 'read-only'],
  [5, 'locked'],
  [6, 'locked'],
  [7, 'unavailable'],
  [8, 'read-only'],
  [10, 'unavailable'],
  [11, 'corrupt'],
  [13, 'full'],
  [14, 'unavailable'],
  [26, 'corrupt'],
]);

/** After these a connection is of no use: the file may be another one by the time it is tried again. */
const FATAL: ReadonlySet<StoreTrouble> = new Set(['read-only', 'corrupt', 'unavailable']);

/** An open SQLite file. Blocks while it works, so it lives in a thread of its own. Throws only `StoreError`s. */
export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #file: string | undefined;
  readonly #inode: bigint | undefined;
  #restsUntilMs = 0;
  /** Preparing a statement costs more than running it. */
  readonly #statements = new Map<string, StatementSync>();

  constructor({ file, maxBytes }: SqliteOptions) {
    this.#file = file === ':memory:' ? undefined : resolve(file);
    try {
      if (this.#file !== undefined) {
        mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
        // SQLite would make it readable for everybody; the files beside it get the mode of this one.
        closeSync(openSync(this.#file, 'a', 0o600));
        this.#inode = inodeOf(this.#file);
      }
      this.#database = new DatabaseSync(file, { enableForeignKeyConstraints: true, timeout: OPEN_LOCK_WAIT_MS });
    } catch (error) {
      throw storeError(error);
    }
    try {
      // FULL: one fsync for each commit, so what was acknowledged outlives a power cut. secure_delete: deleted bytes are
      // overwritten with zeros. Temporary tables never reach the disk.
      this.#database.exec(
        'pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on; pragma temp_store = memory;',
      );
      this.#database.exec(`pragma busy_timeout = ${LOCK_WAIT_MS}`);
      if (maxBytes !== undefined) this.#database.exec(`pragma max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)}`);
    } catch (error) {
      this.#database.close();
      throw storeError(error);
    }
  }

  /** Runs the queries on one snapshot. */
  read(queries: readonly SqliteStatement[]): readonly (readonly unknown[])[] {
    this.#checkFile();
    return this.#guarded(() => {
      this.#prepare('begin').run();
      const rows = queries.map(({ sql, parameters }) => this.#prepare(sql).all(...parameters));
      this.#prepare('commit').run();
      return rows;
    });
  }

  /** Runs the statements as one transaction, which is undone when `isLate` says so before its end. */
  write(statements: readonly SqliteStatement[], isLate: () => boolean): SqliteWriteOutcome {
    this.#checkFile();
    this.#begin();
    return this.#guarded(() => {
      const changedRows: number[] = [];
      for (const [index, { sql, parameters, mustChange }] of statements.entries()) {
        const changes = Number(this.#prepare(sql).run(...parameters).changes);
        if (mustChange !== undefined && changes !== mustChange) {
          this.#prepare('rollback').run();
          return { committed: false, unmet: index };
        }
        changedRows.push(changes);
      }
      // Whoever waited for this has gone by now, and must not find later that it was done.
      if (isLate()) throw new StoreError('overloaded', TOO_LATE);
      this.#prepare('commit').run();
      return { committed: true, changedRows };
    });
  }

  /** Moves everything into the database file and empties the journal beside it. */
  scrub(): void {
    const [result] = this.#guarded(() => this.#prepare('pragma wal_checkpoint(truncate)').all());
    if (result?.['busy'] === 1) throw new StoreError('locked', 'somebody still reads the journal');
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  /** Whether the error leaves this connection without use. */
  static isFatal(error: StoreError): boolean {
    return FATAL.has(error.kind);
  }

  #begin(): void {
    if (performance.now() < this.#restsUntilMs) throw new StoreError('locked', 'SQLite: somebody else writes');
    try {
      this.#guarded(() => this.#prepare('begin immediate').run());
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'locked') this.#restsUntilMs = performance.now() + LOCK_REST_MS;
      throw error;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement) return statement;
    statement = this.#database.prepare(sql);
    if (this.#statements.size >= MAX_STATEMENTS) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    this.#statements.set(sql, statement);
    return statement;
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      try {
        if (this.#database.isTransaction) this.#database.exec('rollback');
      } catch {
        // The error that led here says more than that its transaction could not be undone: closing undoes it, too.
      }
      throw storeError(error);
    }
  }

  /** A file that was moved or replaced would go on taking writes that nobody finds again. */
  #checkFile(): void {
    if (this.#file === undefined) return;
    if (inodeOf(this.#file) !== this.#inode)
      throw new StoreError('unavailable', 'the database file is no longer there');
  }
}

function inodeOf(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino;
}

function storeError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (!(error instanceof Error)) return new StoreError('internal', 'SQLite failed', { cause: error });
  if ('errcode' in error && typeof error.errcode === 'number') {
    const kind = TROUBLES.get(error.errcode & 0xff) ?? 'internal';
    return new StoreError(kind, `SQLite: ${error.message} (${error.errcode})`, { cause: error });
  }
  // From the file system, while the file or its folder was made.
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new StoreError('read-only', `the database file cannot be written (${code})`, { cause: error });
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') return new StoreError('full', 'the disk is full', { cause: error });
  if ('syscall' in error)
    return new StoreError('unavailable', `the file cannot be opened (${String(code)})`, { cause: error });
  return new StoreError('internal', `SQLite refused: ${error.message}`, { cause: error });
}
