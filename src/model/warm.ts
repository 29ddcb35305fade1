import { setImmediate } from 'node:timers/promises';

import type { RequestParts } from './stream-reply.ts';

/** undici closes an idle connection after 4 s unless the server names a longer time in `keep-alive`. */
const FRESH_MS = 3_000;

/** Longest time for warming: after that the request itself does it. */
const WARM_MS = 3_000;

/**
 * Opens a connection that the next request finds ready. Node's `fetch`, which the SDK uses too, keeps connections of one
 * origin in one pool. `OPTIONS` because `HEAD` makes undici close the connection, and `GET` may bring a page.
 */
export class ConnectionWarmer {
  readonly #parts: RequestParts;
  #warmedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  async warm(signal: AbortSignal): Promise<void> {
    const { provider, clock, log } = this.#parts;
    const startedMs = clock.nowMs();
    if (signal.aborted || startedMs - this.#warmedAtMs < FRESH_MS) return;
    this.#warmedAtMs = startedMs;
    const controller = new AbortController();
    const stop = () => controller.abort();
    signal.addEventListener('abort', stop, { once: true });
    using _ = clock.after(WARM_MS, stop);
    // Whatever goes wrong in either, the request itself meets it and says so.
    await Promise.allSettled([connect(provider.origin, controller.signal), provider.signIn()]);
    signal.removeEventListener('abort', stop);
    log.debug({ durationMs: Math.round(clock.nowMs() - startedMs) }, 'connection to the model opened early');
  }
}

async function connect(origin: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(origin, { method: 'OPTIONS', redirect: 'manual', signal });
  // Read to its end, or the connection is not kept.
  await response.arrayBuffer();
  // undici takes a connection for busy until the next turn of the event loop.
  await setImmediate();
}
