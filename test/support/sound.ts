import { SAMPLE_RATE_HZ } from '../../src/audio/frame.ts';
import { toInt16 } from '../../src/audio/pcm.ts';
import { correlate } from '../../src/audio/similarity.ts';
import { decodeWav, encodeWav } from '../../src/audio/wav.ts';
import { openOggOpus } from '../../src/files/ogg-opus.ts';
import { played } from '../files/played.ts';

/** What a codec may change of a sound; a lost or doubled 20 ms of a short sentence is already less like it. */
export const FAITHFUL = 0.95;

/** Voice messages are 32 kbit/s: such a coder keeps the voice rather than its wave. */
export const FAITHFUL_MESSAGE = 0.85;

/** 24 kHz mono samples of a base64 WAV. */
export function samplesOf(wav: string | undefined): Int16Array {
  if (!wav) return new Int16Array();
  return toInt16(decodeWav(Buffer.from(wav, 'base64')).channels[0] ?? new Float32Array());
}

/** How like the first base64 WAV the second is, at their best alignment: 1 is the same up to loudness. */
export function likeness(reference: string | undefined, heard: string | undefined): number {
  return correlate(samplesOf(reference), samplesOf(heard)).correlation;
}

/** Fetches an Ogg Opus file and decodes it: its sound as base64 WAV, and how long it really is. */
export async function fetchOgg(url: string): Promise<{ wav: string; durationSecs: number }> {
  const response = await fetch(url);
  const samples = await played(openOggOpus, new Uint8Array(await response.arrayBuffer()));
  return { wav: base64Wav(samples), durationSecs: samples.length / SAMPLE_RATE_HZ };
}

/** 24 kHz mono samples as a base64 WAV. */
export function base64Wav(samples: Int16Array): string {
  return Buffer.from(encodeWav(samples)).toString('base64');
}
