import type { ModelFault } from '../../src/sandbox/control/protocol.ts';
import type { ModelTrouble } from '../../src/language/words.ts';

/** A way in which the model can fail, and what people are to notice of it. */
export interface FaultCase {
  readonly fault: ModelFault;
  /** What it is told as. `undefined`: it is no failure, or one that asking again has mended. */
  readonly trouble: ModelTrouble | undefined;
  /** Requests made in all. */
  readonly requests: 1 | 2;
  /** How often the fault happens: twice where one more attempt is made. */
  readonly times: 1 | 2;
  /** The time that is waited for a model that says nothing. */
  readonly deadlineMs?: number;
}

/** Fails once, whatever is tried. */
function fails(fault: ModelFault, trouble: ModelTrouble): FaultCase {
  return { fault, trouble, requests: 1, times: 1 };
}

/** One failure is mended by asking again, two are told. */
function mendable(fault: ModelFault, trouble: ModelTrouble): FaultCase[] {
  return [
    { fault, trouble: undefined, requests: 2, times: 1 },
    { fault, trouble, requests: 2, times: 2 },
  ];
}

/** Every failure before anything of the reply has arrived: the same for speech and writing. */
export const EARLY_FAULTS: readonly FaultCase[] = [
  { fault: { kind: 'delay', ms: 400 }, trouble: undefined, requests: 1, times: 1 },
  fails({ kind: 'status', status: 400 }, 'refused'),
  fails({ kind: 'status', status: 401 }, 'wrong-key'),
  fails({ kind: 'status', status: 403 }, 'not-permitted'),
  fails({ kind: 'status', status: 404 }, 'no-deployment'),
  fails({ kind: 'status', status: 410 }, 'retired'),
  fails({ kind: 'status', status: 429, retryAfterSecs: 30 }, 'busy'),
  ...mendable({ kind: 'status', status: 408 }, 'server-fault'),
  ...mendable({ kind: 'status', status: 429, retryAfterSecs: 0 }, 'busy'),
  ...mendable({ kind: 'status', status: 500 }, 'server-fault'),
  ...mendable({ kind: 'status', status: 502 }, 'server-fault'),
  ...mendable({ kind: 'status', status: 503 }, 'busy'),
  ...mendable({ kind: 'cut', afterChunks: 'headers' }, 'unreachable'),
  ...mendable({ kind: 'html' }, 'malformed'),
  ...mendable({ kind: 'no-choices' }, 'malformed'),
  ...mendable({ kind: 'bad-json' }, 'malformed'),
  ...mendable({ kind: 'filter-down' }, 'filter-down'),
  fails({ kind: 'filter-prompt' }, 'filtered-prompt'),
  { ...fails({ kind: 'stall', afterChunks: 'headers' }, 'timeout'), deadlineMs: 10_000 },
];

/** Failures in the middle of a reply: a part of it has been heard, so it is not asked for again. */
export const LATE_FAULTS: readonly FaultCase[] = [
  fails({ kind: 'cut', afterChunks: 6 }, 'truncated'),
  fails({ kind: 'no-end-marker', afterChunks: 6 }, 'truncated'),
  fails({ kind: 'error-in-stream', afterChunks: 6 }, 'server-fault'),
  fails({ kind: 'filter-reply', afterChunks: 6 }, 'filtered-reply'),
  { ...fails({ kind: 'stall', afterChunks: 6 }, 'timeout'), deadlineMs: 5000 },
];

/** The name of a case, such as `status 429, 2 times`. */
export function titleOf({ fault, times }: FaultCase): string {
  const details = Object.entries(fault).flatMap(([name, value]) => (name === 'kind' ? [] : [`${name} ${value}`]));
  return [[fault.kind, ...details].join(' '), ...(times > 1 ? [`${times} times`] : [])].join(', ');
}
