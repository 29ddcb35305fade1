import { MPEGDecoder } from 'mpg123-decoder';

import { SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { AttachmentError } from './attachment-error.ts';
import type { DecodedSound } from './decode-job.ts';
import { findMp3 } from './mp3-frames.ts';
import { PcmCollector } from './pcm-collector.ts';

/** Fed to the decoder at a time, so that it can be stopped. */
const CHUNK_BYTES = 32_768;

/**
 * Decodes an MP3 file to 24 kHz mono. Damage in the middle is skipped.
 * @throws {AttachmentError}
 */
export async function decodeMp3(bytes: Uint8Array, maxDurationMs: number): Promise<DecodedSound> {
  const frames = findMp3(bytes);
  if (!frames) throw new AttachmentError('damaged', 'no MP3 frames in the file');
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    const collector = new PcmCollector(Math.floor((maxDurationMs * SAMPLE_RATE_HZ) / 1000));
    for (let at = frames.start; at < bytes.length && !collector.full; at += CHUNK_BYTES) {
      const { channelData, sampleRate, samplesDecoded } = decoder.decode(bytes.subarray(at, at + CHUNK_BYTES));
      if (samplesDecoded > 0) collector.push(channelData, sampleRate);
    }
    const sound = collector.finish();
    if (sound.samples.length === 0) throw new AttachmentError('damaged', 'no sound in the MP3 frames');
    return sound;
  } finally {
    decoder.free();
  }
}
