import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { levelDbfs } from '../audio/level.ts';
import type { Passage } from './passages.ts';

/** Quieter than any voice: what models put before and after what they say. */
const SILENCE_DBFS = -60;
/** So much of it stays, so that no soft beginning or end is cut off. */
const MARGIN_SAMPLES = 2 * FRAME_SAMPLES;

/** A reader's pauses. */
const PAUSE_MS: Readonly<Record<Passage['ends'], number>> = { sentence: 350, paragraph: 800 };

/** A passage's sound with the pause that belongs after it, in place of the silence that came with it: whole frames. */
export function withPause(samples: Int16Array, ends: Passage['ends']): Int16Array {
  const isSilent = (at: number): boolean => levelDbfs(samples.subarray(at, at + FRAME_SAMPLES)) < SILENCE_DBFS;
  let start = 0;
  while (start + FRAME_SAMPLES <= samples.length && isSilent(start)) start += FRAME_SAMPLES;
  let end = samples.length;
  while (end - FRAME_SAMPLES >= start && isSilent(end - FRAME_SAMPLES)) end -= FRAME_SAMPLES;
  const voice = samples.subarray(Math.max(0, start - MARGIN_SAMPLES), Math.min(samples.length, end + MARGIN_SAMPLES));
  const length = voice.length + (PAUSE_MS[ends] * SAMPLE_RATE_HZ) / 1000;
  const paused = new Int16Array(Math.ceil(length / FRAME_SAMPLES) * FRAME_SAMPLES);
  paused.set(voice);
  return paused;
}
