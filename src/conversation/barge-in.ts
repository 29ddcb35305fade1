import { FRAME_MS } from '../audio/frame.ts';

/** Two frames: one may be a click. The reply goes to the background at once, so that people know they are heard. */
const DUCK_MS = 40;
/** A click, a breath or a short cough is less. */
const SPEECH_MS = 200;
/** "Mm-hm", "yeah" and coughs are shorter; whoever has something to say is not done. The reply pauses for them. */
export const PAUSE_MS = 400;
/** So much is a turn of its own, whatever it says. Other frameworks wait for 500 ms of speech before they stop at all. */
const YIELD_MS = 700;
/** So much also from somebody whom the reply is not for: in a group people talk to each other, too. */
const BYSTANDER_YIELD_MS = 2000;
/** A longer gap, and what was before it was something else. */
const MAX_GAP_MS = 400;

/** What speech over a reply asks for so far. `speech`: no more than `duck`, and it is no click or cough any more. */
export type Yielding = 'none' | 'duck' | 'speech' | 'pause' | 'yield';

interface Overlap {
  readonly voicedMs: number;
  readonly lastAtMs: number;
}

/**
 * How far a reply gives way to those who speak over it, by how long they have spoken. One for each reply; time comes in
 * with each call. What they say, once it is written down, may decide sooner (`call.ts`).
 */
export class BargeIn {
  readonly #overlaps = new Map<string, Overlap>();

  /** Takes one speaker's voiced frame. `isParty`: the reply is for them, or anyone may interrupt it. */
  voiced(speakerId: string, atMs: number, isParty: boolean): Yielding {
    const before = this.#overlaps.get(speakerId);
    const goesOn = before !== undefined && atMs - before.lastAtMs <= MAX_GAP_MS;
    const voicedMs = (goesOn ? before.voicedMs : 0) + FRAME_MS;
    this.#overlaps.set(speakerId, { voicedMs, lastAtMs: atMs });
    if (voicedMs >= (isParty ? YIELD_MS : BYSTANDER_YIELD_MS)) return 'yield';
    if (voicedMs >= PAUSE_MS && isParty) return 'pause';
    if (voicedMs >= SPEECH_MS) return 'speech';
    return voicedMs >= DUCK_MS ? 'duck' : 'none';
  }

  /** When somebody last spoke over the reply; `undefined`: nobody has. */
  get lastVoicedAtMs(): number | undefined {
    const times = [...this.#overlaps.values()].map(({ lastAtMs }) => lastAtMs);
    return times.length > 0 ? Math.max(...times) : undefined;
  }
}

/** Whether somebody speaks in earnest. */
export function isSpeech(yielding: Yielding): boolean {
  return yielding !== 'none' && yielding !== 'duck';
}
