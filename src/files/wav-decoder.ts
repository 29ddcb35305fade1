import { SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { decodeWav } from '../audio/wav.ts';
import type { DecodedSound } from './decode-job.ts';
import { PcmCollector } from './pcm-collector.ts';
import { readWavInfo } from './wav-header.ts';

/**
 * Decodes a WAV file to 24 kHz mono.
 * @throws {AttachmentError}
 */
export function decodeWavFile(bytes: Uint8Array, maxDurationMs: number): DecodedSound {
  const info = readWavInfo(bytes);
  // A second more than is wanted, so that it is seen to be cut.
  const frames = Math.min(info.frames, Math.ceil((maxDurationMs / 1000) * info.sampleRateHz) + info.sampleRateHz);
  const wanted = bytes.subarray(0, info.dataOffset + (info.dataBytes / info.frames) * frames);
  const { channels, sampleRateHz } = decodeWav(wanted);
  const collector = new PcmCollector(Math.floor((maxDurationMs * SAMPLE_RATE_HZ) / 1000));
  collector.push(channels, sampleRateHz);
  return collector.finish();
}
