import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import { mixToMono, toInt16 } from '../../audio/pcm.ts';
import { resample } from '../../audio/resample.ts';
import { decodeWav, WavError } from '../../audio/wav.ts';
import { invalidRequest, unsupportedAudioFormat } from './api-error.ts';
import type { DecodedSound, Mp3Decoder } from './mp3-decoder.ts';

/** Sound as it came and as the model hears it. */
export interface InputAudio {
  readonly format: 'wav' | 'mp3';
  readonly bytes: Uint8Array;
  /** 24 kHz mono. */
  readonly samples: Int16Array;
}

/**
 * "The maximum audio file size is 20 MB" (Microsoft, audio completions). Whether that means the file or its base64 is not
 * written: here it is the base64, so that whoever passes here passes there.
 */
const MAX_BASE64_CHARACTERS = 20_000_000;

/** Decodes an `input_audio` part. @throws {ApiError} */
export async function decodeInputAudio(
  data: string,
  format: 'wav' | 'mp3',
  param: string,
  mp3: Mp3Decoder,
): Promise<InputAudio> {
  if (data.length > MAX_BASE64_CHARACTERS) {
    throw invalidRequest(
      `Invalid '${param}': string too long. Expected a string with maximum length ${MAX_BASE64_CHARACTERS}, but got a string with length ${data.length} instead.`,
      param,
      'string_above_max_length',
    );
  }
  if (data.length === 0 || data.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(data)) {
    throw invalidRequest(`Invalid '${param}': the string is not valid base64.`, param, 'invalid_base64');
  }
  const bytes = Buffer.from(data, 'base64');
  const samples = await decodeAudio(bytes, format, mp3);
  if (samples === undefined) throw unsupportedAudioFormat();
  return { format, bytes, samples };
}

/** Decodes a file to 24 kHz mono; `undefined` when it is not what it says or holds no sound. */
export async function decodeAudio(
  bytes: Uint8Array,
  format: 'wav' | 'mp3',
  mp3: Mp3Decoder,
): Promise<Int16Array | undefined> {
  const sound = format === 'wav' ? readWav(bytes) : await mp3.decode(bytes);
  if (sound === undefined) return undefined;
  return toInt16(resample(mixToMono(sound.channels), sound.sampleRateHz, SAMPLE_RATE_HZ));
}

function readWav(bytes: Uint8Array): DecodedSound | undefined {
  try {
    return decodeWav(bytes);
  } catch (error) {
    if (error instanceof WavError) return undefined;
    throw error;
  }
}
