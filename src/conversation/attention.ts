import type { AnswerMode } from './ports.ts';
import type { Turn } from './turn.ts';

/** Who was just answered need not say the name again for this long. Others use 10 to 15 s. */
const FOLLOW_UP_MS = 12_000;
/** Who pressed the button or mentioned the bot has this long to begin. */
const BUTTON_MS = 15_000;
/** After an answer the next turn is likely for us, too: its answer is prepared before its words are known. */
const ENGAGED_MS = 30_000;

/**
 * Whom a turn is for. `words`: only what was said can tell. `others`: it is remembered and not answered. `nobody`: the bot
 * was told to keep out of it.
 */
export type Addressee = 'us' | 'words' | 'others' | 'nobody';

export interface Room {
  readonly mode: AnswerMode;
  /** People in the channel. */
  readonly people: number;
}

/** Knows without words whom a turn is for, where that can be known. Pure: time comes in with each call. */
export class Attention {
  /** Until when a person need not say the name. */
  readonly #untilMs = new Map<string, number>();
  #answeredAtMs = -Infinity;

  /** This person pressed the button, or mentioned the bot. */
  addressed(personId: string, nowMs: number): void {
    this.#extend(personId, nowMs + BUTTON_MS);
  }

  /** These people have had their answer. */
  answered(personIds: Iterable<string>, nowMs: number): void {
    this.#answeredAtMs = nowMs;
    for (const personId of personIds) this.#extend(personId, nowMs + FOLLOW_UP_MS);
  }

  addresseeOf({ utterances }: Turn, { mode, people }: Room): Addressee {
    if (mode === 'off') return 'nobody';
    if (mode === 'always' || people <= 1) return 'us';
    const follows = utterances.some(
      ({ speaker, startedAtMs }) => startedAtMs <= (this.#untilMs.get(speaker.id) ?? -Infinity),
    );
    if (follows) return 'us';
    return mode === 'name' ? 'words' : 'others';
  }

  /** Whether the room is talking with us, so that what is said next is likely for us. */
  isEngaged(nowMs: number): boolean {
    return nowMs - this.#answeredAtMs <= ENGAGED_MS;
  }

  #extend(personId: string, untilMs: number): void {
    this.#untilMs.set(personId, Math.max(untilMs, this.#untilMs.get(personId) ?? -Infinity));
  }
}
