/** The level of digital silence: one sample of 1 in a second is about as loud. */
const SILENCE_DBFS = -120;

/** Root mean square in decibels below full scale (a square wave at full scale is 0), -120 at least. */
export function levelDbfs(samples: Int16Array): number {
  let energy = 0;
  for (let i = 0; i < samples.length; i++) energy += samples[i]! * samples[i]!;
  if (energy === 0) return SILENCE_DBFS;
  return Math.max(SILENCE_DBFS, 10 * Math.log10(energy / samples.length / 32_768 ** 2));
}
