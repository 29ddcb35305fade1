import type { Frame } from '../audio/frame.ts';

/** -12 dB: plainly in the background, and still understood. */
const DUCKED_GAIN = 0.25;

/** How a reply is to be heard: as it is, behind somebody who speaks, or not until further notice. */
export type Level = 'full' | 'ducked' | 'paused';

/** The volume control of one reply. A pause loses nothing: the next frame is the one that was due when it began. */
export class Loudness {
  readonly #onPause: (paused: boolean) => void;
  #level: Level = 'full';
  #gain = 1;
  #changed = Promise.withResolvers<void>();

  /** @param onPause Called when a pause begins and when it ends. */
  constructor(onPause: (paused: boolean) => void) {
    this.#onPause = onPause;
  }

  get level(): Level {
    return this.#level;
  }

  set(level: Level): void {
    if (level === this.#level) return;
    const wasPaused = this.#level === 'paused';
    this.#level = level;
    if (wasPaused || level === 'paused') this.#onPause(level === 'paused');
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** The frames, held back while paused; a change of volume is spread over one frame, so that it does not click. */
  async *applyTo(frames: AsyncIterable<Frame>): AsyncGenerator<Frame> {
    for await (const frame of frames) {
      while (this.#level === 'paused') await this.#changed.promise;
      yield this.#scaled(frame);
    }
  }

  #scaled(frame: Frame): Frame {
    const from = this.#gain;
    const to = this.#level === 'full' ? 1 : DUCKED_GAIN;
    this.#gain = to;
    if (from === 1 && to === 1) return frame;
    return frame.map((sample, index) => sample * (from + ((to - from) * (index + 1)) / frame.length));
  }
}
