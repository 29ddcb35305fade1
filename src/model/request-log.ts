import type { Log, LogFields } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { ModelError } from './errors.ts';

/** The moments of a request that are logged, in milliseconds since it began. */
export type RequestMoment = 'signedIn' | 'headers' | 'firstEvent' | 'firstAudio';

/** Measures one request and writes its one line. Ids, counts and durations only. */
export class RequestLog {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #startedMs: number;
  readonly #moments = new Map<RequestMoment, number>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#startedMs = clock.nowMs();
  }

  /** Notes that something has happened now; only its first time counts. */
  mark(moment: RequestMoment): void {
    if (!this.#moments.has(moment)) this.#moments.set(moment, this.#elapsedMs());
  }

  /** The request ended as the caller wanted: with its answer, or because nobody wants it any more. */
  ended(outcome: 'answered' | 'aborted' | 'abandoned', fields: LogFields): void {
    this.#log.info({ outcome, ...this.#durations(), ...fields }, 'model request ended');
  }

  failed(error: unknown, fields: LogFields): void {
    const known =
      error instanceof ModelError
        ? {
            kind: error.kind,
            operatorHint: error.operatorHint,
            status: error.status,
            code: error.code,
            requestId: error.requestId ?? fields['requestId'],
            retryAfterMs: error.retryAfterMs,
          }
        : { err: error };
    this.#log.warn({ ...this.#durations(), ...fields, ...known }, 'model request failed');
  }

  #durations(): LogFields {
    const at = (moment: RequestMoment) => this.#moments.get(moment);
    return {
      signedInMs: at('signedIn'),
      headersMs: at('headers'),
      firstEventMs: at('firstEvent'),
      firstAudioMs: at('firstAudio'),
      totalMs: this.#elapsedMs(),
    };
  }

  #elapsedMs(): number {
    return Math.round(this.#clock.nowMs() - this.#startedMs);
  }
}
