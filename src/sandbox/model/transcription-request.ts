import { invalidRequest } from './api-error.ts';
import type { Exchange } from './exchange.ts';
import { decodeAudio } from './input-audio.ts';
import type { Mp3Decoder } from './mp3-decoder.ts';
import type { ReceivedAudio } from './records.ts';
import type { DeploymentKind } from './world.ts';

/** "Maximum content size limit (26214400) exceeded". */
const MAX_CONTENT_BYTES = 26_214_400;
/** "Minimum audio length is 0.1 seconds." */
const MIN_SAMPLES = 2_400;

const FORMATS: Readonly<Record<DeploymentKind, readonly string[]>> = {
  chat: [],
  transcribe: ['json'],
  diarize: ['json', 'text', 'diarized_json'],
  whisper: ['json', 'text', 'srt', 'verbose_json', 'vtt'],
};

/** Containers the endpoint takes, whose sound is not decoded here. */
const UNHEARD = ['m4a', 'mp4', 'webm'];

/** A transcription request that has passed the rules. */
export interface AcceptedTranscription {
  /** Empty for a file whose format is taken but not decoded: `file` says which. */
  readonly samples: Int16Array;
  readonly file: ReceivedAudio;
  readonly format: string;
  readonly stream: boolean;
  readonly wordTimes: boolean;
}

/** Reads a multipart body. @throws {ApiError} */
export async function parseForm(exchange: Exchange): Promise<FormData> {
  if (exchange.entry.bodyBytes > MAX_CONTENT_BYTES) {
    const message = `Maximum content size limit (${MAX_CONTENT_BYTES}) exceeded (${exchange.entry.bodyBytes} bytes read)`;
    throw invalidRequest(message, null, null, 413);
  }
  const contentType = exchange.incoming.headers['content-type'] ?? '';
  try {
    return await new Response(Uint8Array.from(exchange.body), { headers: { 'content-type': contentType } }).formData();
  } catch {
    throw invalidRequest('Could not parse multipart form', null, null);
  }
}

/** The form as it is recorded, the file taken out. */
export async function recordForm(form: FormData, mp3: Mp3Decoder): Promise<{ body: unknown; audio: ReceivedAudio[] }> {
  const body: Record<string, unknown> = {};
  const audio: ReceivedAudio[] = [];
  for (const [name, value] of form) {
    if (typeof value === 'string') {
      body[name] = value;
      continue;
    }
    const bytes = new Uint8Array(await value.arrayBuffer());
    const format = containerOf(bytes) ?? value.name.split('.').at(-1) ?? '';
    const samples = format === 'wav' || format === 'mp3' ? await decodeAudio(bytes, format, mp3) : undefined;
    body[name] = { audio: audio.length, name: value.name };
    audio.push({ format, bytes, samples });
  }
  return { body, audio };
}

/** Applies the rules. @throws {ApiError} with the API's own body. */
export function acceptTranscription(
  form: FormData,
  audio: readonly ReceivedAudio[],
  kind: DeploymentKind,
  model: string,
): AcceptedTranscription {
  const [file] = audio;
  if (file === undefined)
    throw invalidRequest("Missing required parameter: 'file'.", 'file', 'missing_required_parameter');
  const format = textField(form, 'response_format') ?? 'json';
  const formats = FORMATS[kind];
  if (!formats.includes(format)) {
    const supported = formats.map((name) => `'${name}'`).join(' or ');
    const message = `response_format '${format}' is not compatible with model '${model}'. Use ${supported} instead.`;
    throw invalidRequest(message, 'response_format', 'unsupported_value');
  }
  if (kind === 'diarize' && textField(form, 'chunking_strategy') === undefined) {
    const message = 'chunking_strategy is required for diarization models';
    throw invalidRequest(message, 'chunking_strategy', 'invalid_value');
  }
  const wordTimes = form.getAll('timestamp_granularities[]').includes('word');
  if (wordTimes && format !== 'verbose_json') {
    const message = "timestamp_granularities are only supported with response_format 'verbose_json'.";
    throw invalidRequest(message, 'timestamp_granularities', 'unsupported_value');
  }
  const isUnheard = UNHEARD.includes(file.format);
  const { samples = isUnheard ? new Int16Array(0) : undefined } = file;
  if (samples === undefined) {
    throw invalidRequest('Audio file might be corrupted or unsupported', 'file', 'invalid_value');
  }
  if (samples.length < MIN_SAMPLES && !isUnheard) {
    const message = 'Audio file is too short. Minimum audio length is 0.1 seconds.';
    throw invalidRequest(message, 'file', 'audio_too_short');
  }
  return { samples, file, format, stream: kind !== 'whisper' && textField(form, 'stream') === 'true', wordTimes };
}

function textField(form: FormData, name: string): string | undefined {
  const value = form.get(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function containerOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (head.startsWith('ftyp', 4)) return head.startsWith('M4A', 8) ? 'm4a' : 'mp4';
  if (head.startsWith('\x1a\x45\xdf\xa3')) return 'webm';
  const magic = head.slice(0, 4);
  if (magic === 'RIFF') return 'wav';
  if (magic === 'OggS') return 'ogg';
  if (magic === 'fLaC') return 'flac';
  if (magic.startsWith('ID3') || (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0)) return 'mp3';
  return undefined;
}

/** The model that a form names. */
export function modelOfForm(form: FormData): string | undefined {
  return textField(form, 'model');
}
