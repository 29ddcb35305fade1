import { createHash } from 'node:crypto';
import type { Clock } from '../../../time/clock.ts';

export interface RateLimit {
  readonly requests: number;
  readonly windowMs: number;
}

/** Requests a second that one bot may make in all, interactions and webhooks apart (Discord's "Rate Limits"). */
const GLOBAL_LIMIT: RateLimit = { requests: 50, windowMs: 1000 };

/** Buckets remembered before those whose window is over are thrown away. */
const MAX_BUCKETS = 1000;

export type RateVerdict =
  | { readonly allowed: true; readonly headers: Record<string, string> }
  | { readonly allowed: false; readonly headers: Record<string, string>; readonly body: Record<string, unknown> };

interface Window {
  used: number;
  endsAtMs: number;
}

/** Counts requests in fixed windows that begin with a bucket's first request. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `major` is the channel, guild or webhook that has a bucket of its own. */
  take(route: string, major: string, limit: RateLimit, countsGlobally: boolean): RateVerdict {
    if (countsGlobally) {
      const global = this.#window('global', GLOBAL_LIMIT);
      if (global.used >= GLOBAL_LIMIT.requests) return refused(this.#leftMs(global), true, {});
      global.used += 1;
    }
    const window = this.#window(`${route} ${major}`, limit);
    const allowed = window.used < limit.requests;
    if (allowed) window.used += 1;
    const leftMs = this.#leftMs(window);
    const headers = {
      'x-ratelimit-limit': String(limit.requests),
      'x-ratelimit-remaining': String(limit.requests - window.used),
      'x-ratelimit-reset': ((Date.now() + leftMs) / 1000).toFixed(3),
      'x-ratelimit-reset-after': (leftMs / 1000).toFixed(3),
      'x-ratelimit-bucket': createHash('md5').update(route).digest('hex'),
    };
    return allowed ? { allowed, headers } : refused(leftMs, false, headers);
  }

  #window(key: string, limit: RateLimit): Window {
    const nowMs = this.#clock.nowMs();
    const existing = this.#windows.get(key);
    if (existing && existing.endsAtMs > nowMs) return existing;
    if (this.#windows.size >= MAX_BUCKETS) this.#dropEnded(nowMs);
    const window = { used: 0, endsAtMs: nowMs + limit.windowMs };
    this.#windows.set(key, window);
    return window;
  }

  #dropEnded(nowMs: number): void {
    for (const [key, window] of this.#windows) if (window.endsAtMs <= nowMs) this.#windows.delete(key);
  }

  #leftMs(window: Window): number {
    return Math.max(0, window.endsAtMs - this.#clock.nowMs());
  }
}

function refused(leftMs: number, global: boolean, headers: Record<string, string>): RateVerdict {
  return {
    allowed: false,
    headers: {
      ...headers,
      // Whole seconds, rounded up, in the header; the body has the fraction.
      'retry-after': String(Math.ceil(leftMs / 1000)),
      'x-ratelimit-scope': global ? 'global' : 'user',
      ...(global ? { 'x-ratelimit-global': 'true' } : {}),
    },
    body: { message: 'You are being rate limited.', retry_after: Number((leftMs / 1000).toFixed(3)), global },
  };
}
