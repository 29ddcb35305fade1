import { encodeWav } from '../audio/wav.ts';
import type { Speech } from '../model/model.ts';
import type { Clock } from '../time/clock.ts';
import { AttachmentError } from './attachment-error.ts';
import { decodeFile } from './decoding.ts';
import { findMp3 } from './mp3-frames.ts';
import { probe, type FileKind } from './probe.ts';
import { TemporaryFile } from './temporary-file.ts';
import { readWavInfo } from './wav-header.ts';

export interface DecodeOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The program that decodes what we cannot: its name or path. */
  readonly ffmpeg: string;
  /** Default: ten minutes. */
  readonly maxDurationMs?: number;
  /** What becomes of longer files. Default `refuse`: a person should not get an answer to half of what they said. */
  readonly whenLonger?: 'refuse' | 'cut';
}

export interface DecodedAttachment {
  readonly speech: Speech;
  readonly durationMs: number;
  /** Only the first `maxDurationMs` are in it. */
  readonly cut: boolean;
}

/** Longest sound that is taken at once. */
const MAX_DURATION_MS = 10 * 60_000;

/** The API takes 20 MB, and counts base64: three quarters of that. */
const MAX_MODEL_BYTES = 15_000_000;

/**
 * Larger WAV files are sent as MP3, a sixth of the size: upload time, and Azure's rate limit counts a request's
 * characters.
 */
const MAX_WAV_BYTES = 2_000_000;

/**
 * Makes an attached file fit for the model. MP3 and plain WAV go as they are, without what surrounds the sound; the rest
 * is decoded in a child process and comes back as MP3.
 * @throws {AttachmentError}; the signal's reason when it aborts.
 */
export async function decodeAttachment(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedAttachment> {
  const { maxDurationMs = MAX_DURATION_MS, whenLonger = 'refuse' } = options;
  if (bytes.length === 0) throw new AttachmentError('empty', 'no bytes in the file');
  const kind = probe(bytes);
  const whole = passThrough(kind, bytes);
  const tooLong = new AttachmentError('too-long', `more than ${maxDurationMs / 1000} s of sound`);
  if (whole && whole.durationMs > maxDurationMs && whenLonger === 'refuse') throw tooLong;
  if (whole && whole.durationMs <= maxDurationMs && whole.data.length <= MAX_MODEL_BYTES) {
    return { speech: whole, durationMs: whole.durationMs, cut: false };
  }

  await using file = await TemporaryFile.of(bytes);
  let data: Uint8Array = new Uint8Array();
  for await (const message of decodeFile(file.path, kind, { ...options, maxDurationMs, cutting: 'whole' })) {
    if (message.type === 'piece') data = message.piece.mp3;
    if (message.type !== 'ended') continue;
    const { durationMs, cut } = message;
    if (cut && whenLonger === 'refuse') throw tooLong;
    return { speech: { format: 'mp3', data, durationMs }, durationMs, cut };
  }
  throw new AttachmentError('damaged', 'the decoder ended without an end');
}

/** The sound as it is, when every model can take it. @throws {AttachmentError} when the header of a WAV file is damaged. */
export function passThrough(kind: FileKind, bytes: Uint8Array): Speech | undefined {
  if (kind === 'mp3') {
    const frames = findMp3(bytes);
    if (!frames?.whole) return undefined;
    return { format: 'mp3', data: bytes.subarray(frames.start, frames.end), durationMs: frames.durationMs };
  }
  if (kind === 'wav') {
    const info = wavInfoOf(bytes);
    if (!info) return undefined;
    const { coding, channels, sampleRateHz, dataOffset, dataBytes, durationMs } = info;
    if (coding !== 's16' || channels !== 1 || dataBytes > MAX_WAV_BYTES) return undefined;
    // A copy, so that it is aligned; `slice` would be none on a Buffer.
    const samples = new Int16Array(new Uint8Array(bytes.subarray(dataOffset, dataOffset + dataBytes)).buffer);
    return { format: 'wav', data: encodeWav(samples, sampleRateHz), durationMs };
  }
  return undefined;
}

/** `undefined` for a coding that ffmpeg may know. */
function wavInfoOf(bytes: Uint8Array): ReturnType<typeof readWavInfo> | undefined {
  try {
    return readWavInfo(bytes);
  } catch (error) {
    if (error instanceof AttachmentError && error.kind === 'unsupported') return undefined;
    throw error;
  }
}
