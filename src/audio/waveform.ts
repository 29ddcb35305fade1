import { SAMPLE_RATE_HZ } from './frame.ts';

/** Discord draws at most this many bars, ten a second. */
const MAX_POINTS = 256;
const POINTS_PER_SECOND = 10;

/**
 * The picture of a voice message as Discord wants it: one byte a point, base64. Each point is the root mean square of
 * its share of the sound, and the loudest is 255.
 */
export function encodeWaveform(samples: Int16Array): string {
  const seconds = samples.length / SAMPLE_RATE_HZ;
  const points = Math.max(1, Math.min(MAX_POINTS, Math.ceil(seconds * POINTS_PER_SECOND)));
  const levels = Array.from({ length: points }, (_, point) =>
    rootMeanSquare(
      samples.subarray(
        Math.floor((point * samples.length) / points),
        Math.floor(((point + 1) * samples.length) / points),
      ),
    ),
  );
  const loudest = Math.max(...levels);
  return Buffer.from(levels.map((level) => (loudest === 0 ? 0 : Math.round((level * 255) / loudest)))).toString(
    'base64',
  );
}

function rootMeanSquare(samples: Int16Array): number {
  let energy = 0;
  for (let i = 0; i < samples.length; i++) energy += samples[i]! ** 2;
  return samples.length === 0 ? 0 : Math.sqrt(energy / samples.length);
}
