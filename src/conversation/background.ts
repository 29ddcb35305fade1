import { StoreError } from '../store/store-error.ts';
import type { Log } from '../telemetry/log.ts';
import { sleep, type Clock } from '../time/clock.ts';

/** What is being kept may take this long when Parley stops; a store that is away then has had its chance. */
const FINISH_MS = 3000;

/** Work that nobody waits for, so that it is finished, or ended, before what it uses is closed. */
export class Background implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Begins some work. The signal aborts when Parley stops. The result resolves when the work is over, however it went. */
  run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    const running = work(signal)
      .catch((error: unknown) => {
        if (signal.aborted) return;
        // The store says by itself that it is away.
        const level = error instanceof StoreError ? 'debug' : 'warn';
        this.#log[level]({ err: error }, 'background work failed');
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  /** Stops what can be stopped, and waits a while for the rest. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    const waiting = new AbortController();
    await Promise.race([Promise.all(this.#running), sleep(this.#clock, FINISH_MS, waiting.signal).catch(() => {})]);
    waiting.abort();
  }
}
