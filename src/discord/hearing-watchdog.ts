/** Members say that they speak, and nothing of it arrives: for this long it may be chance. */
const PATIENCE_MS = 10_000;

export type WatchdogStep = 'send-silence' | 'rejoin' | 'tell';

const STEPS: readonly WatchdogStep[] = ['send-silence', 'rejoin', 'tell'];

/**
 * Notices that no voice packet arrives although members speak. Discord's voice servers have been seen to send nothing to a
 * bot until it had sent something itself, hence the order of the steps. Pure: time comes in with each call.
 */
export class HearingWatchdog {
  #speakingSinceMs: number | undefined;
  #stepsTaken = 0;

  /** A member says that they speak (opcode 5). */
  speaking(nowMs: number): void {
    this.#speakingSinceMs ??= nowMs;
  }

  /** A packet arrived and was good. */
  heard(): void {
    this.#speakingSinceMs = undefined;
    this.#stepsTaken = 0;
  }

  /** We are not meant to hear anything just now, such as when a moderator deafened us. */
  pause(): void {
    this.#speakingSinceMs = undefined;
  }

  /** Each step needs a member who speaks after the one before, and each comes once. */
  tick(nowMs: number): WatchdogStep | undefined {
    if (this.#speakingSinceMs === undefined || nowMs - this.#speakingSinceMs < PATIENCE_MS) return undefined;
    this.#speakingSinceMs = undefined;
    const step = STEPS[this.#stepsTaken];
    this.#stepsTaken++;
    return step;
  }
}
