import { setImmediate } from 'node:timers/promises';

import { sleep, type Clock } from '../time/clock.ts';
import { ModelError } from './errors.ts';

/** Longest wait before a second attempt: in a conversation more silence than this needs an explanation instead. */
const RETRY_BUDGET_MS = 2_000;

/** Wait before a second attempt when the server does not say how long. */
const DEFAULT_RETRY_AFTER_MS = 250;

/**
 * The one retry policy (the SDK's is off: it sleeps through `retry-after: 50` inside a shorter time-out, and retries
 * what cannot succeed). A failed attempt is made again once, if nothing of it was yielded yet, the error says that it
 * may help, and the wait fits {@link RETRY_BUDGET_MS}. Callers see one clean stream.
 *
 * @param attempt makes one attempt; it is given the error of the one before, if there was one.
 */
export async function* withOneRetry<E>(
  attempt: (previous: ModelError | undefined) => AsyncIterable<E>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<E, void, undefined> {
  let yielded = false;
  let failure: ModelError;
  try {
    for await (const event of attempt(undefined)) {
      yielded = true;
      yield event;
    }
    return;
  } catch (error) {
    if (yielded || !(error instanceof ModelError) || !error.shouldRetry()) throw error;
    failure = error;
  }
  const waitMs = failure.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS;
  if (waitMs > RETRY_BUDGET_MS) throw failure;
  // At once still means one turn of the event loop: undici keeps the connection busy until then and would open another.
  if (waitMs > 0) await sleep(clock, waitMs, signal);
  else await setImmediate();
  yield* attempt(failure);
}
