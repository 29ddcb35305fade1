import { Worker } from 'node:worker_threads';

import type { CompiledQuery } from 'kysely';

import type { Database, RowsOf, WriteOutcome, WriteStatement } from './database.ts';
import type { SqliteOptions, SqliteStatement } from './sqlite-connection.ts';
import { monotonicMs, type SqliteAnswer, type SqliteJob, type SqliteRequest } from './sqlite-worker.ts';
import { StoreError } from './store-error.ts';

/** Time for a large file to recover its journal. */
const OPEN_LIMIT_MS = 30_000;

/** Jobs that may wait for a disk that does not answer: each holds what it would write. */
const MAX_JOBS = 2000;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: StoreError): void;
}

/** SQLite in a thread of its own: a slow or locked disk never holds this one up. Jobs are done in the order they come. */
export class SqliteDatabase implements Database {
  readonly #options: SqliteOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #isOpen = false;
  #lastId = 0;

  constructor(options: SqliteOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  async open(): Promise<void> {
    await this.#ask({ kind: 'open' }, OPEN_LIMIT_MS);
    this.#isOpen = true;
  }

  read<const Queries extends readonly CompiledQuery[]>(queries: Queries, limitMs: number): Promise<RowsOf<Queries>>;
  async read(queries: readonly CompiledQuery[], limitMs: number): Promise<readonly (readonly unknown[])[]> {
    return this.#ask({ kind: 'read', statements: queries.map((query) => toStatement({ query })) }, limitMs);
  }

  async write(statements: readonly WriteStatement[], limitMs: number): Promise<WriteOutcome> {
    return this.#ask({ kind: 'write', statements: statements.map(toStatement) }, limitMs);
  }

  async scrub(limitMs: number): Promise<void> {
    await this.#ask({ kind: 'scrub' }, limitMs);
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    this.#isOpen = false;
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    worker.once('exit', () => resolve());
    this.#ask({ kind: 'close' }, OPEN_LIMIT_MS).catch(() => {});
    this.#worker = undefined;
    await gone;
  }

  #ask(job: SqliteJob & { kind: 'read' }, limitMs: number): Promise<readonly (readonly unknown[])[]>;
  #ask(job: SqliteJob & { kind: 'write' }, limitMs: number): Promise<WriteOutcome>;
  #ask(job: SqliteJob, limitMs: number): Promise<unknown>;
  #ask(job: SqliteJob, limitMs: number): Promise<unknown> {
    if (this.#waiting.size >= MAX_JOBS) return Promise.reject(new StoreError('overloaded', 'the disk does not answer'));
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    worker.postMessage({ id, job, deadlineMs: monotonicMs() + limitMs } satisfies SqliteRequest, []);
    return promise;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
      name: 'parley-store',
      workerData: this.#options,
    });
    let fault: unknown;
    worker.on('message', (answer: SqliteAnswer) => this.#settle(answer));
    worker.on('error', (error) => {
      fault = error;
    });
    worker.on('exit', () => {
      if (this.#worker === worker) {
        this.#worker = undefined;
        this.#isOpen = false;
      }
      for (const waiting of this.#waiting.values()) {
        waiting.reject(new StoreError('unavailable', "the database's thread ended", { cause: fault }));
      }
      this.#waiting.clear();
    });
    return worker;
  }

  #settle(answer: SqliteAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.ok) {
      waiting?.resolve(answer.value);
      return;
    }
    if (answer.closed) this.#isOpen = false;
    waiting?.reject(new StoreError(answer.kind, answer.message, { cause: answer.stack }));
  }
}

function toStatement({ query, mustChange }: WriteStatement): SqliteStatement {
  return { sql: query.sql, parameters: query.parameters.map(toInput), mustChange };
}

function toInput(value: unknown): SqliteStatement['parameters'][number] {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
    return value;
  if (value instanceof Uint8Array) return value;
  throw new StoreError('internal', `SQLite takes no ${typeof value}`);
}
