import { randomUUID } from 'node:crypto';

import { sql, type CompiledQuery } from 'kysely';

import type { Clock } from '../time/clock.ts';
import type { SqlDialect } from './dialect.ts';
import { thisProcess } from './process-identity.ts';

/** A process that has not said for this long that it lives is taken for dead. */
const LEASE_MS = 15_000;
/** It says so this often: two may fail. */
export const BEAT_MS = 5000;

/**
 * This process as an owner of turns. Turns name their owner; those of an owner whose lease ran out are taken over by others.
 * The database's clock counts, so that the clocks of machines need not agree.
 */
export class Lease {
  /** New for each start: a turn can only be changed by the process that received it, or that took it over. */
  readonly ownerId = randomUUID();
  readonly #identity = thisProcess();
  readonly #clock: Clock;
  #heldSinceMs = Infinity;
  #beatAtMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The statement that renews it. */
  beat({ builder, nowMs }: SqlDialect): CompiledQuery {
    const expires_ms = sql<number>`${nowMs} + ${sql.lit(LEASE_MS)}`;
    return builder
      .insertInto('owners')
      .values({ id: this.ownerId, ...this.#identity, expires_ms })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ expires_ms }))
      .compile();
  }

  /** `sentAtMs` is when the beat that has now been kept was sent. */
  beaten(sentAtMs: number): void {
    if (sentAtMs - this.#beatAtMs > LEASE_MS) this.#heldSinceMs = sentAtMs;
    this.#beatAtMs = sentAtMs;
  }

  /** The time to pass to {@link Lease.beaten}. */
  get nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Not so after the process was stopped for a while: others may be about to take its turns. */
  get isFresh(): boolean {
    return this.#clock.nowMs() - this.#beatAtMs < LEASE_MS / 2;
  }

  /**
   * Whether a lease that ran out says that its owner is dead. Not right after our own had run out as well: then the database
   * was away from everybody, and the others are only about to say that they live. At our own start nothing is known of an
   * outage, and waiting would keep people waiting for the news that their turn was lost.
   */
  mayJudge(isStart: boolean): boolean {
    return isStart || this.#clock.nowMs() - this.#heldSinceMs >= 2 * BEAT_MS;
  }
}
