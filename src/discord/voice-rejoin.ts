import type { SessionEnd } from './session-events.ts';
import { closeReaction } from './voice-close-codes.ts';

const MAX_TRIES = 5;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;
/** Five tries from a quarter of a second to ten seconds. */
const DELAY_GROWTH = 2.5;
const DELAY_JITTER = 0.1;
/** Between looks whether the main gateway is there again. Nobody was asked for anything then, so these are no tries. */
const GATEWAY_DELAY_MS = 2_000;
/** All tries of one trouble together. */
const BUDGET_MS = 60_000;
/** A connection that has been ready for this long owes nothing to the trouble before it. */
const STABLE_MS = 60_000;
/** Losing the main session also takes us out of the channel, which then looks like being removed by someone. */
const MAIN_SESSION_GRACE_MS = 10_000;
/** Discord's rate limit on voice connections has no stated length. */
const RATE_LIMIT_MS = 60_000;

/** Why there is no voice connection any more. */
export type GoneReason =
  | { readonly kind: 'left' }
  /** Never got in within the deadline: the channel is full, or Discord does not answer. */
  | { readonly kind: 'join-timeout' }
  /** Disconnected by a moderator, or the channel is gone. */
  | { readonly kind: 'removed' }
  | { readonly kind: 'call-ended' }
  /** Lost, and not found again after several tries. */
  | { readonly kind: 'connection-lost' }
  /** Discord has no voice server for this channel at the moment. */
  | { readonly kind: 'no-server' }
  /** Discord wants end-to-end encryption and we offered none: the DAVE library is missing. */
  | { readonly kind: 'encryption-required' }
  | { readonly kind: 'rate-limited'; readonly retryAfterMs: number }
  /** Twice refused for a mistake of ours. */
  | { readonly kind: 'refused'; readonly code: number };

export type NextStep =
  | { readonly kind: 'gone'; readonly reason: GoneReason }
  /** `newSession`: leave the channel first, so that Discord gives a new session. */
  | { readonly kind: 'join'; readonly afterMs: number; readonly newSession: boolean };

/**
 * Decides what follows the end of a voice session: whether to join again, when, and how often. Pure: time and chance come
 * from outside.
 */
export class RejoinPolicy {
  readonly #random: () => number;
  #tries = 0;
  #troubleSinceMs: number | undefined;
  #readyAtMs: number | undefined;
  #mainSessionLostAtMs = -Infinity;
  /** The one try has been used that some close codes are worth. */
  #onceUsed = false;

  /** @param random 0 to 1, for the jitter. */
  constructor(random: () => number) {
    this.#random = random;
  }

  get tries(): number {
    return this.#tries;
  }

  ready(nowMs: number): void {
    this.#readyAtMs = nowMs;
  }

  /** The main gateway lost its session: being out of the channel within the next 10 s is nobody's wish. */
  mainSessionLost(nowMs: number): void {
    this.#mainSessionLostAtMs = nowMs;
  }

  ended(end: SessionEnd, nowMs: number): NextStep {
    if (this.#readyAtMs !== undefined && nowMs - this.#readyAtMs >= STABLE_MS) this.#forget();
    this.#readyAtMs = undefined;
    switch (end.kind) {
      case 'left':
        return gone({ kind: 'left' });
      case 'no-server':
        return gone({ kind: 'no-server' });
      case 'removed':
        return this.#removed(end.code === 4022 ? 'call-ended' : 'removed', nowMs);
      case 'closed':
        return this.#closed(end.code, nowMs);
      case 'no-gateway':
        return this.#whenReachable(nowMs);
      case 'fault':
      case 'timeout':
      case 'deaf':
        break;
    }
    return this.#again(true, nowMs);
  }

  #closed(code: number, nowMs: number): NextStep {
    switch (closeReaction(code)) {
      case 'resume':
        return this.#again(false, nowMs);
      case 'new-session':
        return this.#again(true, nowMs);
      case 'once':
        return this.#once({ kind: 'refused', code }, nowMs);
      case 'call-ended':
        return this.#once({ kind: 'call-ended' }, nowMs);
      case 'removed-or-moved':
        return this.#removed('removed', nowMs);
      case 'encryption-required':
        return gone({ kind: 'encryption-required' });
      case 'rate-limited':
        break;
    }
    return gone({ kind: 'rate-limited', retryAfterMs: RATE_LIMIT_MS });
  }

  #removed(kind: 'removed' | 'call-ended', nowMs: number): NextStep {
    return nowMs - this.#mainSessionLostAtMs <= MAIN_SESSION_GRACE_MS ? this.#again(true, nowMs) : gone({ kind });
  }

  #once(reason: GoneReason, nowMs: number): NextStep {
    if (this.#onceUsed) return gone(reason);
    this.#onceUsed = true;
    return this.#again(false, nowMs);
  }

  #again(newSession: boolean, nowMs: number): NextStep {
    if (this.#tries >= MAX_TRIES) return gone({ kind: 'connection-lost' });
    // After a first try that kept our place in the channel, only leaving it surely brings a new server.
    const keepsPlace = !newSession && this.#tries === 0;
    return this.#join(Math.min(FIRST_DELAY_MS * DELAY_GROWTH ** this.#tries++, MAX_DELAY_MS), !keepsPlace, nowMs);
  }

  #whenReachable(nowMs: number): NextStep {
    return this.#join(GATEWAY_DELAY_MS, this.#tries > 0, nowMs);
  }

  #join(delayMs: number, newSession: boolean, nowMs: number): NextStep {
    this.#troubleSinceMs ??= nowMs;
    const afterMs = delayMs * (1 + DELAY_JITTER * (2 * this.#random() - 1));
    const isTooLate = nowMs + afterMs - this.#troubleSinceMs > BUDGET_MS;
    return isTooLate ? gone({ kind: 'connection-lost' }) : { kind: 'join', afterMs, newSession };
  }

  #forget(): void {
    this.#tries = 0;
    this.#troubleSinceMs = undefined;
    this.#onceUsed = false;
  }
}

function gone(reason: GoneReason): NextStep {
  return { kind: 'gone', reason };
}
