import { SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { mixToMono, toInt16 } from '../audio/pcm.ts';
import { Resampler } from '../audio/resample.ts';
import { AttachmentError } from './attachment-error.ts';
import type { SoundChunk } from './sound-source.ts';

/** A file that claims 1 Hz would grow without bound, one that claims 4 GHz would need a filter of that length. */
const MIN_RATE_HZ = 4_000;
const MAX_RATE_HZ = 384_000;
const MAX_CHANNELS = 64;

/** Turns decoded sound of any rate into 24 kHz mono as it comes. */
export class MonoStream {
  #resampler: { readonly fromHz: number; readonly run: Resampler } | undefined;

  /** What is ready. The resampler keeps a little back. @throws {AttachmentError} `sample-rate` or `channels` */
  push(chunk: SoundChunk): Int16Array[] {
    if (chunk instanceof Int16Array) return [...this.flush(), chunk];
    const { channels, sampleRateHz } = chunk;
    checkSound(channels.length, sampleRateHz);
    const before = this.#resampler?.fromHz === sampleRateHz ? [] : this.flush();
    const mono = mixToMono(channels);
    if (sampleRateHz === SAMPLE_RATE_HZ) return [...before, toInt16(mono)];
    this.#resampler ??= { fromHz: sampleRateHz, run: new Resampler(sampleRateHz, SAMPLE_RATE_HZ) };
    return [...before, toInt16(this.#resampler.run.push(mono))];
  }

  /** The rest. */
  flush(): Int16Array[] {
    const rest = this.#resampler ? [toInt16(this.#resampler.run.flush())] : [];
    this.#resampler = undefined;
    return rest;
  }
}

/** @throws {AttachmentError} for what no recording has. */
export function checkSound(channels: number, sampleRateHz: number): void {
  if (!(sampleRateHz >= MIN_RATE_HZ && sampleRateHz <= MAX_RATE_HZ)) {
    throw new AttachmentError('sample-rate', `a sample rate of ${sampleRateHz} Hz`);
  }
  if (channels < 1 || channels > MAX_CHANNELS) throw new AttachmentError('channels', `${channels} channels`);
}
