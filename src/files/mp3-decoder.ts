import { MPEGDecoder } from 'mpg123-decoder';

import { AttachmentError } from './attachment-error.ts';
import type { ByteFile } from './byte-file.ts';
import { findMp3, mp3TagBytes } from './mp3-frames.ts';
import type { SoundChunk, SoundSource } from './sound-source.ts';

/** Looked at to find the first frames and to guess the length from their bitrate. */
const WINDOW_BYTES = 262_144;

/**
 * Decodes an MP3 file. Damage in the middle is skipped.
 * @throws {AttachmentError}
 */
export function openMp3(file: ByteFile): SoundSource {
  const tagEnd = mp3TagBytes(file.read(0, 10), (at) => file.read(at, 10), file.size);
  const frames = findMp3(file.read(tagEnd, WINDOW_BYTES));
  if (!frames) throw new AttachmentError('damaged', 'no MP3 frames in the file');
  const start = tagEnd + frames.start;
  const bytesPerMs = (frames.end - frames.start) / frames.durationMs;
  return { durationMs: (file.size - start) / bytesPerMs, sound: decode(file, start) };
}

async function* decode(file: ByteFile, start: number): AsyncGenerator<SoundChunk, void, undefined> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  let any = false;
  for (const bytes of file.chunks(start)) {
    const { channelData, sampleRate, samplesDecoded } = decoder.decode(bytes);
    if (samplesDecoded === 0) continue;
    any = true;
    yield { channels: channelData, sampleRateHz: sampleRate };
  }
  if (!any) throw new AttachmentError('damaged', 'no sound in the MP3 frames');
}
