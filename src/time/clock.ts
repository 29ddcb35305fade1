/**
 * A monotonic clock: the only source of time for pacing, deadlines and turn-taking. Tests step one by hand.
 * Wall-clock time (`Date.now`) is for display and expiry dates only.
 */
export interface Clock {
  /** Milliseconds since an arbitrary origin, with a fraction. Never goes back, whatever the wall clock does. */
  nowMs(): number;
  /** Calls `run` once, at or after `delayMs` from now. Disposing the result cancels the call. */
  after(delayMs: number, run: () => void): Disposable;
}

/** The clock of this process. */
export const monotonicClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** Resolves after `delayMs` on `clock`. Rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal?.aborted) {
    reject(signal.reason);
    return promise;
  }
  const timer = clock.after(delayMs, () => {
    signal?.removeEventListener('abort', onAbort);
    resolve();
  });
  function onAbort(): void {
    timer[Symbol.dispose]();
    reject(signal?.reason);
  }
  signal?.addEventListener('abort', onAbort, { once: true });
  return promise;
}
