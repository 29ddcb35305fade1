import { toInt16 } from '../../src/audio/pcm.ts';
import { correlate } from '../../src/audio/similarity.ts';
import { decodeWav } from '../../src/audio/wav.ts';

/** What a codec may change of a sound; a lost or doubled 20 ms of a short sentence is already less like it. */
export const FAITHFUL = 0.95;

/** 24 kHz mono samples of a base64 WAV. */
export function samplesOf(wav: string | undefined): Int16Array {
  if (!wav) return new Int16Array();
  return toInt16(decodeWav(Buffer.from(wav, 'base64')).channels[0] ?? new Float32Array());
}

/** How like the first base64 WAV the second is, at their best alignment: 1 is the same up to loudness. */
export function likeness(reference: string | undefined, heard: string | undefined): number {
  return correlate(samplesOf(reference), samplesOf(heard)).correlation;
}
