import type { Clock } from '../../time/clock.ts';
import type { NetworkConditions } from '../control/protocol.ts';
import { seededRandom } from './random.ts';

/** A reordered packet is held back this long: at least the next 20 ms packet overtakes it. */
const REORDER_DELAY_MS = 30;
/** Packets under way at once, beyond which the newest is lost. */
const MAX_UNDER_WAY = 1000;

/**
 * The way from the voice server to the bot. Without conditions a packet leaves at once, in the same tick; with them it is
 * lost, doubled, late or out of order as the seed has it. Jitter alone never reorders, as in a queue.
 */
export class Network implements Disposable {
  readonly #clock: Clock;
  readonly #underWay = new Set<Disposable>();
  #conditions: NetworkConditions | undefined;
  #random = seededRandom(0);
  #lastDueMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  setConditions(conditions: NetworkConditions): void {
    this.#conditions = conditions;
    this.#random = seededRandom(conditions.seed);
  }

  carry(deliver: () => void): void {
    if (!this.#conditions) {
      deliver();
      return;
    }
    const { lossRate = 0, duplicateRate = 0, reorderRate = 0, jitterMs = 0 } = this.#conditions;
    // Every packet draws the same numbers, so that changing one rate leaves the other choices as they were.
    const [lost, doubled, reordered, late] = [this.#random(), this.#random(), this.#random(), this.#random()];
    if (lost < lossRate) return;
    const nowMs = this.#clock.nowMs();
    const dueMs = Math.max(this.#lastDueMs, nowMs + late * jitterMs);
    if (reordered < reorderRate) {
      this.#after(dueMs - nowMs + REORDER_DELAY_MS, deliver);
    } else {
      this.#lastDueMs = dueMs;
      this.#after(dueMs - nowMs, deliver);
    }
    if (doubled < duplicateRate) this.#after(dueMs - nowMs + late * jitterMs, deliver);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#underWay) timer[Symbol.dispose]();
    this.#underWay.clear();
  }

  #after(delayMs: number, deliver: () => void): void {
    if (delayMs <= 0) {
      deliver();
      return;
    }
    if (this.#underWay.size >= MAX_UNDER_WAY) return;
    const timer = this.#clock.after(delayMs, () => {
      this.#underWay.delete(timer);
      deliver();
    });
    this.#underWay.add(timer);
  }
}
