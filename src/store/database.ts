import type { CompiledQuery } from 'kysely';

/** A statement that writes. */
export interface WriteStatement {
  readonly query: CompiledQuery;
  /**
   * Rows it must change. Any other number undoes the whole batch: this is how a batch is made conditional without a
   * round trip in the middle of a transaction.
   */
  readonly mustChange?: number;
}

/** `unmet` is the index of the statement that changed another number of rows than it must; nothing was written then. */
export type WriteOutcome =
  | { readonly committed: true; readonly changedRows: readonly number[] }
  | { readonly committed: false; readonly unmet: number };

/** The rows each of several queries gives. */
export type RowsOf<Queries extends readonly CompiledQuery[]> = {
  readonly [Index in keyof Queries]: Queries[Index] extends CompiledQuery<infer Row> ? readonly Row[] : never;
};

/**
 * A database that takes whole batches, so that a transaction never waits for this program's event loop and can be tried
 * again as a whole. All methods reject with a `StoreError`.
 */
export interface Database {
  /** Whether {@link Database.open} is needed before anything else: at first, and after a fault that closed it. */
  readonly isOpen: boolean;
  open(): Promise<void>;
  /** Runs the queries on one state of the database. `limitMs` is how long to wait for its answer. */
  read<const Queries extends readonly CompiledQuery[]>(queries: Queries, limitMs: number): Promise<RowsOf<Queries>>;
  /** Runs the statements as one transaction. When this resolves with `committed`, they are on the disk. */
  write(statements: readonly WriteStatement[], limitMs: number): Promise<WriteOutcome>;
  /** Makes that deleted rows leave the files, as far as the database can. */
  scrub(limitMs: number): Promise<void>;
  close(): Promise<void>;
}
