import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../../../src/audio/frame.ts';
import { concatSamples, toInt16 } from '../../../src/audio/pcm.ts';
import { decodeWav, encodeWav } from '../../../src/audio/wav.ts';
import type { SandboxClient } from '../../../src/sandbox/control/client.ts';
import { seededRandom } from '../../../src/sandbox/voice/random.ts';

const SENTENCE = 'Could you tell me what we are going to do now, all of us?';
/** Well below what counts as speech, and not silence: it is coded, sent, decoded and looked at as speech is. */
const MURMUR_AMPLITUDE = 40;

/**
 * So much of a sentence that it begins and ends in the middle of a vowel: no quiet head or tail that a detector could
 * count, so that first and last packet are the first and last voiced frames. About `lengthMs` long; said again and again
 * when it is longer than the sentence. `hangoverMs` of a quiet room follow.
 */
export async function spokenFor(client: SandboxClient, lengthMs: number, hangoverMs = 0): Promise<string> {
  const { wav } = await client.synthesize({ text: SENTENCE, voice: 'slt' });
  const samples = toInt16(decodeWav(Buffer.from(wav, 'base64')).channels[0] ?? new Float32Array());
  const loudness = Array.from({ length: Math.floor(samples.length / FRAME_SAMPLES) }, (_, frame) =>
    samples.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES).reduce((sum, one) => sum + Math.abs(one), 0),
  );
  const loudestOf = (from: number, to: number): number => {
    const part = loudness.slice(from, to);
    return from + part.indexOf(Math.max(...part));
  };
  const first = loudestOf(3, 12);
  const sentence = samples.subarray(
    first * FRAME_SAMPLES,
    loudestOf(loudness.length - 25, loudness.length) * FRAME_SAMPLES,
  );
  const times = Math.ceil((lengthMs * SAMPLE_RATE_HZ) / 1000 / sentence.length);
  const quiet = murmurOf(hangoverMs);
  if (times > 1) return base64Wav(concatSamples([...Array.from({ length: times }, () => sentence), quiet]));
  const about = first + Math.round(lengthMs / 20);
  const end = loudestOf(about - 6, about + 6) + 1;
  return base64Wav(concatSamples([samples.subarray(first * FRAME_SAMPLES, end * FRAME_SAMPLES), quiet]));
}

/** Sound that is no speech: steady noise at -58 dBFS. */
export function murmur(lengthMs: number): string {
  return base64Wav(murmurOf(lengthMs));
}

function murmurOf(lengthMs: number): Int16Array {
  const random = seededRandom(1);
  const length = (lengthMs * SAMPLE_RATE_HZ) / 1000;
  return Int16Array.from({ length }, () => (random() * 2 - 1) * MURMUR_AMPLITUDE * 1.7);
}

function base64Wav(samples: Int16Array): string {
  return Buffer.from(encodeWav(samples)).toString('base64');
}
