import type { Clock } from '../../../src/time/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
  timeout: NodeJS.Timeout;
}

/** The process's clock, which can also be moved ahead: long waits pass at once while sockets keep their real time. */
export class SkippingClock implements Clock {
  #aheadMs = 0;
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return performance.now() + this.#aheadMs;
  }

  after(delayMs: number, run: () => void): Disposable {
    const timer: Timer = { dueMs: this.nowMs() + delayMs, run, timeout: setTimeout(() => this.#fire(timer), delayMs) };
    this.#timers.add(timer);
    return {
      [Symbol.dispose]: () => {
        clearTimeout(timer.timeout);
        this.#timers.delete(timer);
      },
    };
  }

  /** Moves the clock ahead; what falls due runs in order. */
  skip(ms: number): void {
    this.#aheadMs += ms;
    for (const timer of [...this.#timers].toSorted((a, b) => a.dueMs - b.dueMs)) {
      if (timer.dueMs <= this.nowMs()) {
        this.#fire(timer);
      } else {
        clearTimeout(timer.timeout);
        timer.timeout = setTimeout(() => this.#fire(timer), timer.dueMs - this.nowMs());
      }
    }
  }

  #fire(timer: Timer): void {
    clearTimeout(timer.timeout);
    if (this.#timers.delete(timer)) timer.run();
  }
}
