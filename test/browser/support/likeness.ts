import { SAMPLE_RATE_HZ } from '../../../src/audio/frame.ts';
import { correlate } from '../../../src/audio/similarity.ts';

/**
 * A machine short of processors loses the fake device's sound in pieces of 10 ms, and plays a reply late that it sent
 * late: sounds are compared by stretches, each where it is found.
 */
const STRETCH_SAMPLES = 0.3 * SAMPLE_RATE_HZ;
const MAX_SLIP_SAMPLES = 0.5 * SAMPLE_RATE_HZ;
/** How like the reference a sound is, stretch by stretch, whichever way its polarity is. Loud stretches count more. */
export function likenessByStretches(reference: Int16Array, heard: Int16Array): number {
  const { offsetSamples } = correlate(reference, heard);
  let [like, all] = [0, 0];
  for (let start = 0; start + STRETCH_SAMPLES <= reference.length; start += STRETCH_SAMPLES) {
    const from = Math.max(0, start + offsetSamples - MAX_SLIP_SAMPLES);
    const to = Math.max(from, start + offsetSamples + STRETCH_SAMPLES + MAX_SLIP_SAMPLES);
    const stretch = reference.subarray(start, start + STRETCH_SAMPLES);
    const energy = stretch.reduce((sum, sample) => sum + sample * sample, 0);
    like += energy * Math.abs(correlate(stretch, heard.subarray(from, to)).correlation);
    all += energy;
  }
  return like / all;
}
