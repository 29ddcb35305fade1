import type { CompiledQuery } from 'kysely';

import type { Database, RowsOf, WriteOutcome, WriteStatement } from '../../../src/store/database.ts';

/** A database with a place between an operation's reads and its writes, where tests let something happen. */
export class InterposedDatabase implements Database {
  readonly #database: Database;
  #beforeWrite: (() => Promise<void>) | undefined;
  #lost: Error | undefined;
  /** While it is set no write is made, and each fails with it. */
  refuses: Error | undefined;
  /** Batches that were read and written so far. */
  readonly count = { reads: 0, writes: 0 };

  constructor(database: Database) {
    this.#database = database;
  }

  /** Happens once, before the next write. */
  beforeNextWrite(happens: () => Promise<void>): void {
    this.#beforeWrite = happens;
  }

  /** The next write is made, and whoever waits for it hears of this instead. */
  loseNextAnswer(error: Error): void {
    this.#lost = error;
  }

  get isOpen(): boolean {
    return this.#database.isOpen;
  }

  open(): Promise<void> {
    return this.#database.open();
  }

  read<const Queries extends readonly CompiledQuery[]>(queries: Queries, limitMs: number): Promise<RowsOf<Queries>> {
    this.count.reads++;
    return this.#database.read(queries, limitMs);
  }

  async write(statements: readonly WriteStatement[], limitMs: number): Promise<WriteOutcome> {
    this.count.writes++;
    const happens = this.#beforeWrite;
    this.#beforeWrite = undefined;
    await happens?.();
    if (this.refuses) throw this.refuses;
    const outcome = await this.#database.write(statements, limitMs);
    const lost = this.#lost;
    this.#lost = undefined;
    if (lost) throw lost;
    return outcome;
  }

  scrub(limitMs: number): Promise<void> {
    return this.#database.scrub(limitMs);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
