import { randomBytes } from 'node:crypto';

import type { Clock } from '../../time/clock.ts';

/** Replies that are remembered; the oldest is forgotten first. */
const MAX_IDS = 4_096;

/** A name for a spoken reply, and when it is forgotten as the client is told it: Unix seconds. */
export interface AudioId {
  readonly id: string;
  readonly expiresAt: number;
  readonly lifeMs: number;
}

/** The spoken replies that may be named in a history, each for its life. */
export class AudioIds {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { transcript: string; expiresAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  create(lifeMs: number): AudioId {
    const id = `audio_${randomBytes(16).toString('hex')}`;
    return { id, expiresAt: Math.ceil((Date.now() + lifeMs) / 1000), lifeMs };
  }

  /** From now on the reply may be named: it is complete. */
  keep({ id, lifeMs }: AudioId, transcript: string): void {
    this.#kept.set(id, { transcript, expiresAtMs: this.#clock.nowMs() + lifeMs });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_IDS && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** What was said; `undefined` for a reply that is unknown or forgotten. */
  transcript(id: string): string | undefined {
    const kept = this.#kept.get(id);
    return kept === undefined || kept.expiresAtMs <= this.#clock.nowMs() ? undefined : kept.transcript;
  }

  forgetAll(): void {
    this.#kept.clear();
  }
}
