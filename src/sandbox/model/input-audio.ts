import { MPEGDecoder } from 'mpg123-decoder';

import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import { mixToMono, toInt16 } from '../../audio/pcm.ts';
import { resample } from '../../audio/resample.ts';
import { decodeWav, WavError } from '../../audio/wav.ts';
import { invalidRequest, unsupportedAudioFormat } from './api-error.ts';

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
export async function decodeInputAudio(data: string, format: 'wav' | 'mp3', param: string): Promise<InputAudio> {
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
  const samples = await decodeAudio(bytes, format);
  if (samples === undefined) throw unsupportedAudioFormat();
  return { format, bytes, samples };
}

/** Decodes a file to 24 kHz mono; `undefined` when it is not what it says or holds no sound. */
export async function decodeAudio(bytes: Uint8Array, format: 'wav' | 'mp3'): Promise<Int16Array | undefined> {
  const sound = format === 'wav' ? readWav(bytes) : await readMp3(bytes);
  if (sound === undefined) return undefined;
  return toInt16(resample(mixToMono(sound.channels), sound.sampleRateHz, SAMPLE_RATE_HZ));
}

interface Sound {
  readonly sampleRateHz: number;
  readonly channels: Float32Array[];
}

function readWav(bytes: Uint8Array): Sound | undefined {
  try {
    return decodeWav(bytes);
  } catch (error) {
    if (error instanceof WavError) return undefined;
    throw error;
  }
}

async function readMp3(bytes: Uint8Array): Promise<Sound | undefined> {
  // The decoder looks for frames in whatever it is given, and finds some in noise.
  const tagged = bytes[0] === 0x49 && bytes[1] === 0x44 && bytes[2] === 0x33;
  const synchronised = bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0;
  if (!tagged && !synchronised) return undefined;
  const decoder = new MPEGDecoder();
  try {
    await decoder.ready;
    const { channelData, samplesDecoded, sampleRate } = decoder.decode(bytes);
    return samplesDecoded === 0 ? undefined : { sampleRateHz: sampleRate, channels: channelData };
  } finally {
    decoder.free();
  }
}
