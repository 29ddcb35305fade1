import { SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { concatSamples, mixToMono, toInt16 } from '../audio/pcm.ts';
import { Resampler } from '../audio/resample.ts';

/** Gathers decoded sound of any rate as 24 kHz mono, up to a limit: more is dropped. */
export class PcmCollector {
  readonly #maxSamples: number;
  readonly #pieces: Int16Array[] = [];
  #resampler: { readonly fromHz: number; readonly run: Resampler } | undefined;
  #samples = 0;

  constructor(maxSamples: number) {
    this.#maxSamples = maxSamples;
  }

  /** No more is taken: the decoder may stop. */
  get full(): boolean {
    return this.#samples > this.#maxSamples;
  }

  /** Any rate that {@link Resampler} takes; it may change between calls. */
  push(channels: readonly Float32Array[], sampleRateHz: number): void {
    if (this.#resampler && this.#resampler.fromHz !== sampleRateHz) this.#flush();
    const mono = mixToMono(channels);
    if (sampleRateHz === SAMPLE_RATE_HZ) {
      this.pushSamples(toInt16(mono));
      return;
    }
    this.#resampler ??= { fromHz: sampleRateHz, run: new Resampler(sampleRateHz, SAMPLE_RATE_HZ) };
    this.pushSamples(toInt16(this.#resampler.run.push(mono)));
  }

  /** 24 kHz mono, as it is. */
  pushSamples(samples: Int16Array): void {
    if (this.full) return;
    // One sample over the limit is kept, so that a file of exactly the limit does not count as cut.
    const kept = samples.subarray(0, this.#maxSamples + 1 - this.#samples);
    this.#pieces.push(kept);
    this.#samples += kept.length;
  }

  /** Everything, and whether there would have been more. */
  finish(): { samples: Int16Array; cut: boolean } {
    this.#flush();
    const all = concatSamples(this.#pieces);
    return { samples: all.subarray(0, this.#maxSamples), cut: this.full };
  }

  #flush(): void {
    if (this.#resampler) this.pushSamples(toInt16(this.#resampler.run.flush()));
    this.#resampler = undefined;
  }
}
