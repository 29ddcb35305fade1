import { TRAILING_SILENCE_FRAMES } from '../../audio/frame.ts';
import type { Clock } from '../../time/clock.ts';

/** Without packets for this long, speech is over. */
const QUIET_MS = 200;

/** Tells when the bot begins to speak and when it has stopped: five silence frames, or no packets for a while. */
export class BotSpeech implements Disposable {
  readonly #clock: Clock;
  readonly #onChange: (speaking: boolean, atMs: number, lastVoiceAtMs: number | undefined) => void;
  #speaking = false;
  #silentFrames = 0;
  #lastPacketAtMs = 0;
  #lastVoiceAtMs = 0;
  #timer: Disposable | undefined;

  constructor(clock: Clock, onChange: (speaking: boolean, atMs: number, lastVoiceAtMs: number | undefined) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  packet(silence: boolean, atMs: number): void {
    this.#lastPacketAtMs = atMs;
    if (!silence) this.#lastVoiceAtMs = atMs;
    this.#silentFrames = silence ? this.#silentFrames + 1 : 0;
    if (!silence && !this.#speaking) {
      this.#change(true, atMs);
      this.#watch();
    } else if (this.#speaking && this.#silentFrames >= TRAILING_SILENCE_FRAMES) {
      this.#change(false, atMs);
    }
  }

  [Symbol.dispose](): void {
    if (this.#speaking) this.#change(false, this.#clock.nowMs());
  }

  #change(speaking: boolean, atMs: number): void {
    this.#speaking = speaking;
    if (!speaking) this.#timer?.[Symbol.dispose]();
    this.#onChange(speaking, atMs, speaking ? undefined : this.#lastVoiceAtMs);
  }

  /** One timer that looks again, rather than one for each packet. */
  #watch(): void {
    const quietMs = this.#clock.nowMs() - this.#lastPacketAtMs;
    if (quietMs >= QUIET_MS) {
      this.#change(false, this.#clock.nowMs());
    } else {
      this.#timer = this.#clock.after(QUIET_MS - quietMs, () => this.#watch());
    }
  }
}
