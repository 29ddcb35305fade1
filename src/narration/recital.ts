import { FRAME_SAMPLES, type Frame } from '../audio/frame.ts';
import { Framer } from '../audio/framer.ts';
import { concatSamples } from '../audio/pcm.ts';
import { each, inOrder } from '../files/in-order.ts';
import type { Drift } from './drift.ts';
import { passagesOf } from './passages.ts';
import { withPause } from './pauses.ts';
import type { Reader, Style } from './reader.ts';

/** One is read while the other is heard. */
const PASSAGES_AT_ONCE = 2;

/** Somebody waits for it: a model that is busy for longer is told to them. */
const MAX_WAIT_MS = 10_000;

type RecitalState = { readonly kind: 'reading' | 'read' } | { readonly kind: 'failed'; readonly error: unknown };

/** A short text being read aloud, kept whole in memory: what is heard of it may stop and go on. Disposing stops the reading. */
export class Recital implements Disposable {
  /** Where it strayed from the text so far. */
  readonly drifts: Drift[] = [];
  readonly #frames: Frame[] = [];
  readonly #stop = new AbortController();
  #state: RecitalState = { kind: 'reading' };
  #changed = Promise.withResolvers<void>();

  constructor(reader: Reader, text: string, style: Style, signal: AbortSignal) {
    void this.#read(reader, text, style, AbortSignal.any([signal, this.#stop.signal])).then(
      () => this.#change({ kind: 'read' }),
      (error: unknown) => this.#change({ kind: 'failed', error }),
    );
  }

  /** Resolves once there is something to hear. @throws {UserError} when there will not be. */
  async begun(): Promise<void> {
    await this.framesFrom(0).next();
  }

  /**
   * The sound from a frame on, as it becomes ready.
   * @throws {UserError} after what could be read.
   */
  async *framesFrom(frame: number): AsyncGenerator<Frame, void, undefined> {
    for (let at = frame; ; at++) {
      while (at >= this.#frames.length) {
        if (this.#state.kind === 'failed') throw this.#state.error;
        if (this.#state.kind === 'read') return;
        await this.#changed.promise;
      }
      yield this.#frames[at] ?? new Int16Array(FRAME_SAMPLES);
    }
  }

  /** All of it, 24 kHz mono. @throws {UserError} */
  async samples(): Promise<Int16Array> {
    return concatSamples(await Array.fromAsync(this.framesFrom(0)));
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #read(reader: Reader, text: string, style: Style, signal: AbortSignal): Promise<void> {
    const framer = new Framer();
    const readings = inOrder(
      each(passagesOf(text.split(/\n{2,}/u))),
      async (passage, running) => ({ passage, reading: await reader.read(passage.text, style, running, MAX_WAIT_MS) }),
      { atOnce: PASSAGES_AT_ONCE, signal },
    );
    for await (const { passage, reading } of readings) {
      if (reading.drift) this.drifts.push(reading.drift);
      this.#frames.push(...framer.push(withPause(reading.samples, passage.ends)));
      this.#change(this.#state);
    }
    const last = framer.flush();
    if (last) this.#frames.push(last);
  }

  #change(state: RecitalState): void {
    this.#state = state;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
