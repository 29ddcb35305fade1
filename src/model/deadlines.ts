import type { Clock } from '../time/clock.ts';
import { ModelTimeoutError, type DeadlinePhase } from './errors.ts';

/** How long the model may take. */
export interface Deadlines {
  /** From the request to the first event of the reply. */
  readonly firstByteMs: number;
  /** Added to `firstByteMs` for every megabyte sent, so that a slow uplink is not taken for a silent model. */
  readonly uploadMsPerMegabyte: number;
  /** Between two events of the reply. */
  readonly betweenChunksMs: number;
  /** From the mark that the reply is complete to the end of the stream; what comes after it is only the token count. */
  readonly trailerMs: number;
  /** All waiting for one reply, retries included. */
  readonly totalMs: number;
}

export const MODEL_DEADLINES: Deadlines = {
  firstByteMs: 10_000,
  uploadMsPerMegabyte: 1_000,
  betweenChunksMs: 5_000,
  trailerMs: 1_000,
  totalMs: 60_000,
};

/**
 * Counts the time spent waiting for the model, and only that: while the consumer of a reply does something else no clock
 * runs, so that playing a long reply slowly is not taken for a stall. (The SDK's own time-out ends with the response
 * headers and does not bound a stream.)
 */
export class ModelTime {
  readonly #clock: Clock;
  readonly #totalMs: number;
  #spentMs = 0;

  constructor(clock: Clock, totalMs: number) {
    this.#clock = clock;
    this.#totalMs = totalMs;
  }

  /** Milliseconds waited so far. */
  get spentMs(): number {
    return this.#spentMs;
  }

  /**
   * Settles as `work` does, at the latest after `limitMs` or when the total is used up. Does not stop `work` itself:
   * whoever gets an error here closes the connection.
   * @throws {ModelTimeoutError}
   * @throws the signal's reason as soon as it aborts.
   */
  async wait<T>(
    work: Promise<T>,
    phase: Exclude<DeadlinePhase, 'total'>,
    limitMs: number,
    signal: AbortSignal,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    work.then(resolve, reject);
    const remainingMs = Math.max(0, this.#totalMs - this.#spentMs);
    const startedMs = this.#clock.nowMs();
    const [passed, afterMs] = remainingMs < limitMs ? (['total', remainingMs] as const) : ([phase, limitMs] as const);
    using _ = this.#clock.after(afterMs, () => reject(timeout(passed, passed === 'total' ? this.#totalMs : limitMs)));
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#spentMs += this.#clock.nowMs() - startedMs;
    }
  }
}

function timeout(phase: DeadlinePhase, limitMs: number): ModelTimeoutError {
  const seconds = `${limitMs / 1000} s`;
  const happened = {
    'first-byte': `The model sent nothing within ${seconds}`,
    'between-chunks': `The model stopped for ${seconds} in the middle of its reply`,
    total: `The model needed more than ${seconds} for one reply`,
  }[phase];
  return new ModelTimeoutError(phase, {
    operatorHint: `${happened}: check the endpoint's address, the network between here and there, and the service's health page.`,
  });
}
