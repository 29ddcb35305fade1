import { SAMPLE_RATE_HZ } from '../../src/audio/frame.ts';
import { Synthesizer } from '../../src/sandbox/speech.ts';

/** White noise, the same for the same seed, evenly spread from -peak to peak. */
export function noise(samples: number, peak: number, seed = 1): Int16Array {
  let state = seed;
  return new Int16Array(samples).map(() => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (((state >>> 0) / 2 ** 32) * 2 - 1) * peak;
  });
}

/** A sine at 24 kHz unless another rate is given, peak 0 to 1. */
export function sine(hz: number, samples: number, peak = 0.5, rateHz = SAMPLE_RATE_HZ): Float32Array {
  return new Float32Array(samples).map((_, i) => peak * Math.sin((2 * Math.PI * hz * i) / rateHz));
}

/** What the sandbox's synthesiser says: 24 kHz mono. */
export async function spoken(text: string, voice: 'slt' | 'rms' | 'awb' | 'kal' = 'slt'): Promise<Int16Array> {
  await using synthesizer = new Synthesizer();
  return await synthesizer.synthesize(text, voice);
}

/** One sound after the other. */
export function sequence(...sounds: Int16Array[]): Int16Array {
  return Int16Array.from(sounds.flatMap((sound) => [...sound]));
}

export function silence(ms: number): Int16Array {
  return new Int16Array((SAMPLE_RATE_HZ * ms) / 1000);
}
