import type { CompiledQuery } from 'kysely';

import { sleep, type Clock } from '../time/clock.ts';
import type { Database, RowsOf, WriteOutcome, WriteStatement } from './database.ts';
import type { Operation, StoreHealth } from './store-health.ts';
import { StoreError, type StoreTrouble } from './store-error.ts';

/**
 * How long an operation may go on trying.
 * - `quick`: someone waits for an answer in a conversation.
 * - `patient`: nobody waits, and what it keeps must not be lost: longer than a database is away when it is restarted.
 * - `long`: as `patient`, and one try alone may take long.
 */
export type Patience = 'quick' | 'patient' | 'long';

/** Troubles that may be over within the time of a `quick` operation. A full disk is not. */
const OVER_SOON: ReadonlySet<StoreTrouble> = new Set(['locked', 'unavailable', 'overloaded']);

/** At first the database may have much to do; once it is known to be down nobody waits for it in a conversation. */
const QUICK_MS = { opening: 10_000, ok: 2000, failing: 250 } as const;
const PATIENCE_MS = 120_000;
const TRY_MS: Readonly<Record<Patience, number>> = { quick: 10_000, patient: 5000, long: 60_000 };
/** What a try may take beyond its limit before it is left behind: the database ends it first. */
const GRACE_MS = 300;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1000;
/** A lock may be let go at any moment, and trying costs next to nothing. */
const LONGEST_PAUSE_LOCKED_MS = 50;
/** A shorter trouble, such as a lock, is nobody's business. */
const TROUBLE_WORTH_SAYING_MS = 1000;
/** Operations that may wait; more are refused. */
const MAX_WAITING = 1000;

/** Opens the database when it is not, tries again what may succeed, gives up in time, and says how the store is. */
export class PatientDatabase implements AsyncDisposable {
  readonly #database: Database;
  readonly #prepare: (database: Database) => Promise<void>;
  readonly #health: StoreHealth;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #opening: Promise<void> | undefined;
  #isPrepared = false;
  #waiting = 0;

  /** `prepare` runs after each opening, before anything else: tables, keys. */
  constructor(database: Database, prepare: (database: Database) => Promise<void>, health: StoreHealth, clock: Clock) {
    this.#database = database;
    this.#prepare = prepare;
    this.#health = health;
    this.#clock = clock;
  }

  read<const Queries extends readonly CompiledQuery[]>(queries: Queries, patience: Patience): Promise<RowsOf<Queries>> {
    return this.#try('read', patience, (limitMs) => this.#database.read(queries, limitMs));
  }

  write(statements: readonly WriteStatement[], patience: Patience): Promise<WriteOutcome> {
    return this.#try('write', patience, (limitMs) => this.#database.write(statements, limitMs));
  }

  scrub(): Promise<void> {
    return this.#try('write', 'long', (limitMs) => this.#database.scrub(limitMs));
  }

  /** Opens the database now: one try, but for a lock, which others hold while they open it, too. @throws {StoreError} */
  async open(): Promise<void> {
    const startedAtMs = this.#clock.nowMs();
    for (;;) {
      try {
        await this.#opened();
        // Being able to write is what the preparation says, or the next write.
        this.#health.ok('read');
        return;
      } catch (error) {
        const failure = asStoreError(error);
        const isWorthWaiting = failure.kind === 'locked' && this.#clock.nowMs() - startedAtMs < QUICK_MS.opening;
        if (!isWorthWaiting || this.#closing.signal.aborted) {
          this.#health.failing(failure, 'write');
          throw failure;
        }
      }
      await sleep(this.#clock, LONGEST_PAUSE_LOCKED_MS, this.#closing.signal).catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#opening?.catch(() => {});
    await this.#database.close();
  }

  async #try<T>(operation: Operation, patience: Patience, attempt: (limitMs: number) => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING)
      throw new StoreError('overloaded', `${MAX_WAITING} operations wait for the store already`);
    const startedAtMs = this.#clock.nowMs();
    this.#waiting++;
    try {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
        if (this.#closing.signal.aborted) throw new StoreError('closed', 'the store is closed');
        const outcome = await this.#once(startedAtMs + this.#patienceMs(patience), TRY_MS[patience], attempt);
        if (outcome.succeeded) {
          this.#health.ok(operation);
          return outcome.value;
        }
        const { error } = outcome;
        const nowMs = this.#clock.nowMs();
        if (error.kind === 'locked') pauseMs = Math.min(pauseMs, LONGEST_PAUSE_LOCKED_MS);
        const mayHelp = patience === 'quick' ? OVER_SOON.has(error.kind) : error.shouldRetry;
        const givesUp = !mayHelp || nowMs + pauseMs >= startedAtMs + this.#patienceMs(patience);
        if (givesUp || nowMs - startedAtMs > TROUBLE_WORTH_SAYING_MS) this.#health.failing(error, operation);
        if (givesUp) throw error;
        await sleep(this.#clock, pauseMs, this.#closing.signal).catch(() => {});
      }
    } finally {
      this.#waiting--;
    }
  }

  async #once<T>(
    deadlineAtMs: number,
    tryMs: number,
    attempt: (limitMs: number) => Promise<T>,
  ): Promise<{ succeeded: true; value: T } | { succeeded: false; error: StoreError }> {
    const limitMs = Math.max(1, Math.min(tryMs, deadlineAtMs - this.#clock.nowMs()));
    const { promise: late, reject } = Promise.withResolvers<never>();
    using _ = this.#clock.after(limitMs + GRACE_MS, () =>
      reject(new StoreError('unavailable', 'the store is too slow')),
    );
    try {
      const value = await Promise.race([this.#opened().then(() => attempt(limitMs)), late]);
      return { succeeded: true, value };
    } catch (error) {
      return { succeeded: false, error: asStoreError(error) };
    }
  }

  #opened(): Promise<void> {
    if (this.#isPrepared && this.#database.isOpen) return Promise.resolve();
    this.#isPrepared = false;
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #open(): Promise<void> {
    if (!this.#database.isOpen) await this.#database.open();
    await this.#prepare(this.#database);
    this.#isPrepared = true;
  }

  #patienceMs(patience: Patience): number {
    return patience === 'quick' ? QUICK_MS[this.#health.state.kind] : PATIENCE_MS;
  }
}

function asStoreError(error: unknown): StoreError {
  return error instanceof StoreError ? error : new StoreError('internal', 'the store failed', { cause: error });
}
