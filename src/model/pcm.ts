import { FRAME_SAMPLES, type Frame } from '../audio/frame.ts';

const FRAME_BYTES = FRAME_SAMPLES * 2;

/**
 * The bytes of padded base64, or `undefined` when it is not that. `Buffer.from` alone takes anything: it skips what it
 * does not know and stops at the first padding, so an error page becomes noise. What it skipped shows in the length.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = Buffer.from(text, 'base64');
  return text.length % 4 === 0 && bytes.length === (text.length / 4) * 3 - padding ? bytes : undefined;
}

/**
 * Cuts 16-bit little-endian PCM, arriving in pieces of any size (odd byte counts included), into frames. Holds less than
 * one frame.
 */
export class PcmFramer {
  #frame = new Uint8Array(FRAME_BYTES);
  #filled = 0;

  /** The frames that `bytes` completes. */
  *push(bytes: Uint8Array): Generator<Frame, void, undefined> {
    for (let offset = 0; offset < bytes.length;) {
      const taken = Math.min(FRAME_BYTES - this.#filled, bytes.length - offset);
      this.#frame.set(bytes.subarray(offset, offset + taken), this.#filled);
      this.#filled += taken;
      offset += taken;
      if (this.#filled === FRAME_BYTES) yield this.#take();
    }
  }

  /** The bytes so far end in the middle of a sample. */
  get splitsSample(): boolean {
    return this.#filled % 2 !== 0;
  }

  /** The last, incomplete frame, filled up with silence; `undefined` when nothing is left. */
  flush(): Frame | undefined {
    return this.#filled === 0 ? undefined : this.#take();
  }

  #take(): Frame {
    const frame = new Int16Array(this.#frame.buffer);
    this.#frame = new Uint8Array(FRAME_BYTES);
    this.#filled = 0;
    return frame;
  }
}
