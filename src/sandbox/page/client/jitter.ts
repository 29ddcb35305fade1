/** Samples in one 20 ms frame at 24 kHz, the rate of all sound between the page and the sandbox. */
export const FRAME_SAMPLES = 480;

/** Sound kept back before it is played, in frames: what the way to here takes longer at times. */
const FIRST_TARGET = 4;
const MAX_TARGET = 15;
/** Frames that are more than the target before some are left out. */
const SLACK = 3;
/** How long there must have been too many of them: two seconds. */
const PATIENCE_FRAMES = 100;
/** Without an interruption for this long, the target comes down by one frame: a minute. */
const CALM_FRAMES = 3000;
/** Two seconds. A stalled page drops what is older rather than playing it late. */
const MAX_FRAMES = 100;

type State = 'waiting' | 'playing';

/**
 * Evens out one speaker's sound. Each stretch of speech begins with a little delay, which grows when it was too short and
 * shrinks when it was not needed. A clock that runs a little faster at the sender's can never pile sound up: each stretch
 * begins anew, and within a long one quiet frames are left out.
 */
export class JitterBuffer {
  readonly #frames: Float32Array[] = [];
  #state: State = 'waiting';
  #target = FIRST_TARGET;
  #waited = 0;
  #tooMany = 0;
  #calm = 0;
  /** The speaker has ended: nothing more is coming, so nothing is waited for. */
  #ended = false;
  interruptions = 0;

  /** Sound that waits, in milliseconds. */
  get delayMs(): number {
    return this.#frames.length * 20;
  }

  get targetMs(): number {
    return this.#target * 20;
  }

  push(frame: Float32Array, silence: boolean): void {
    if (silence) {
      this.#ended = true;
      return;
    }
    this.#ended = false;
    this.#frames.push(frame);
    if (this.#frames.length > MAX_FRAMES) this.#frames.splice(0, this.#frames.length - this.#target);
  }

  /** The next 20 ms, or nothing when there is silence. */
  pull(): Float32Array | undefined {
    if (this.#state === 'waiting') {
      if (this.#frames.length === 0) return undefined;
      this.#waited += 1;
      if (this.#frames.length < this.#target && !this.#ended && this.#waited <= this.#target) return undefined;
      this.#state = 'playing';
      this.#waited = 0;
    }
    const frame = this.#frames.shift();
    if (frame === undefined) {
      this.#state = 'waiting';
      if (!this.#ended) this.#interrupted();
      this.#ended = false;
      return undefined;
    }
    this.#shrink();
    return frame;
  }

  #interrupted(): void {
    this.interruptions += 1;
    this.#target = Math.min(MAX_TARGET, this.#target + 2);
    this.#calm = 0;
  }

  #shrink(): void {
    this.#calm += 1;
    if (this.#calm >= CALM_FRAMES && this.#target > FIRST_TARGET) {
      this.#target -= 1;
      this.#calm = 0;
    }
    this.#tooMany = this.#frames.length > this.#target + SLACK ? this.#tooMany + 1 : 0;
    if (this.#tooMany < PATIENCE_FRAMES) return;
    const quiet = this.#frames.findIndex(isQuiet);
    if (quiet >= 0 || this.#tooMany > 5 * PATIENCE_FRAMES) this.#frames.splice(Math.max(0, quiet), 1);
  }
}

function isQuiet(frame: Float32Array): boolean {
  return frame.every((sample) => Math.abs(sample) < 0.01);
}
