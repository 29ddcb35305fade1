import { FRAME_SAMPLES, type Frame } from './frame.ts';

/** Cuts sound that arrives in pieces of any length into frames. Holds less than one frame. */
export class Framer {
  readonly #rest = new Int16Array(FRAME_SAMPLES);
  #held = 0;

  /** All frames that are complete now. They do not share memory with `samples`. */
  push(samples: Int16Array): Frame[] {
    const frames: Frame[] = [];
    let at = 0;
    while (at < samples.length) {
      const taken = Math.min(FRAME_SAMPLES - this.#held, samples.length - at);
      this.#rest.set(samples.subarray(at, at + taken), this.#held);
      this.#held += taken;
      at += taken;
      if (this.#held === FRAME_SAMPLES) {
        frames.push(this.#rest.slice());
        this.#held = 0;
      }
    }
    return frames;
  }

  /** The last frame, filled up with silence; `undefined` when nothing is held. The framer starts anew. */
  flush(): Frame | undefined {
    if (this.#held === 0) return undefined;
    const frame = this.#rest.slice().fill(0, this.#held);
    this.#held = 0;
    return frame;
  }
}
