import type { Clock } from '../time/clock.ts';

/** Remembers which servers Discord does not want us to join for the moment, over the life of single connections. */
export class JoinCircuit {
  readonly #clock: Clock;
  readonly #openUntilMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** No joining in this server for so long. */
  open(guildId: string, forMs: number): void {
    this.#openUntilMs.set(guildId, this.#clock.nowMs() + forMs);
  }

  /** How long joining has to wait; 0 when it may go ahead. */
  waitMs(guildId: string): number {
    const waitMs = (this.#openUntilMs.get(guildId) ?? 0) - this.#clock.nowMs();
    if (waitMs > 0) return waitMs;
    this.#openUntilMs.delete(guildId);
    return 0;
  }
}
