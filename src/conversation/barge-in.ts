import { FRAME_MS } from '../audio/frame.ts';

/** Voiced sound that counts as speaking over the reply. Long enough that a click or a short cough does not. */
const GUARD_MS = 200;
/** Within this long. */
const WINDOW_MS = 400;

/** Decides when someone speaks over the reply in earnest. One for each reply; time comes in with each call. */
export class BargeIn {
  readonly #voicedAtMs = new Map<string, number[]>();

  /** Takes one speaker's voiced frame; `true` once the reply should give way. */
  voiced(speakerId: string, atMs: number): boolean {
    const recent = (this.#voicedAtMs.get(speakerId) ?? []).filter((time) => time > atMs - WINDOW_MS);
    recent.push(atMs);
    this.#voicedAtMs.set(speakerId, recent);
    return recent.length * FRAME_MS >= GUARD_MS;
  }
}
