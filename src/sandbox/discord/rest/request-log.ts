import type { Clock } from '../../../time/clock.ts';
import type { RestFault, RestRequestRecord } from '../../control/protocol.ts';
import { Refusal } from '../../control/refusal.ts';

/** Requests remembered; the oldest are forgotten first. */
const MAX_RECORDS = 50_000;

interface PendingFault extends RestFault {
  readonly pattern: RegExp;
  left: number;
}

/** Remembers what the bot asked of the REST API, and which of the next requests are to fail. */
export class RequestLog {
  readonly #clock: Clock;
  readonly #records: RestRequestRecord[] = [];
  readonly #faults: PendingFault[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get records(): readonly RestRequestRecord[] {
    return this.#records;
  }

  record(method: string, path: string, status: number): void {
    if (this.#records.length >= MAX_RECORDS) this.#records.shift();
    this.#records.push({ atMs: this.#clock.nowMs(), method, path, status });
  }

  /** @throws {Refusal} when the route is no regular expression. */
  addFault(fault: RestFault): void {
    let pattern: RegExp;
    try {
      pattern = new RegExp(fault.route);
    } catch (error) {
      throw new Refusal(`The route is no regular expression: ${fault.route}`, { cause: error });
    }
    this.#faults.push({ ...fault, pattern, left: fault.times });
  }

  /** The fault meant for this request, used up by one. */
  takeFault(method: string, path: string): RestFault | undefined {
    const fault = this.#faults.find(({ pattern, left }) => left > 0 && pattern.test(`${method} ${path}`));
    if (fault) fault.left -= 1;
    return fault;
  }
}

/** A path to show: the tokens of interactions and webhooks are replaced, `@original` is readable. */
export function withoutTokens(path: string): string {
  return path.replaceAll('%40', '@').replace(/^(\/(?:interactions|webhooks)\/\d+)\/[^/]+/, '$1/:token');
}
