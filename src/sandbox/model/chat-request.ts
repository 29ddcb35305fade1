import { audioNotFound, invalidRequest } from './api-error.ts';
import type { AudioIds } from './audio-ids.ts';
import { decodeInputAudio } from './input-audio.ts';
import type { InputAudio } from './input-audio.ts';
import type { Mp3Decoder } from './mp3-decoder.ts';
import { chatRequestSchema } from './request-schema.ts';
import type { ChatRequest } from './request-schema.ts';
import { schemaError } from './schema-error.ts';

/** A request that has passed every rule of the API. */
export interface AcceptedChat {
  readonly request: ChatRequest;
  /** The sound of each `input_audio` part, in the order of the body. */
  readonly audio: readonly InputAudio[];
  /** Audio is asked for. */
  readonly spoken: boolean;
  readonly stream: boolean;
}

/** Reads a body as JSON. @throws {ApiError} */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw invalidRequest(
      'We could not parse the JSON body of your request. (HINT: This likely means you aren’t using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)',
      null,
      null,
    );
  }
}

/**
 * Applies the rules of the API to a chat completion: the schema, then what no schema can say.
 * @throws {ApiError} with the API's own body.
 */
export async function acceptChat(body: unknown, ids: AudioIds, mp3: Mp3Decoder): Promise<AcceptedChat> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalidRequest("Invalid type for 'body': expected an object.", null, 'invalid_type');
  }
  const unknown = Object.keys(body).filter((key) => !(key in chatRequestSchema.shape));
  if (unknown.length > 0) {
    throw invalidRequest(
      `Unrecognized request argument${unknown.length > 1 ? 's' : ''} supplied: ${unknown.join(', ')}`,
      null,
      null,
    );
  }
  const parsed = chatRequestSchema.safeParse(body);
  if (!parsed.success) throw schemaError(parsed.error.issues, body);

  const request = parsed.data;
  const stream = request.stream === true;
  const spoken = request.modalities?.includes('audio') === true;
  checkOutput(request, stream, spoken);
  checkHistory(request, ids);
  const audio = await inputAudio(request, mp3);
  // A reply named by its id does not count as audio in the input: the strict reading of a rule that is nowhere written out.
  if (audio.length === 0 && !spoken) {
    throw invalidRequest(
      'This model requires that either input content or output modality contain audio.',
      'model',
      'invalid_value',
    );
  }
  return { request, audio, spoken, stream };
}

function checkOutput(request: ChatRequest, stream: boolean, spoken: boolean): void {
  if (request.stream_options !== undefined && request.stream_options !== null && !stream) {
    throw invalidRequest(
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      'stream_options',
      null,
    );
  }
  if (!spoken) return;
  if (request.audio === undefined || request.audio === null) {
    throw invalidRequest("Missing required parameter: 'audio'.", 'audio', 'missing_required_parameter');
  }
  const { format } = request.audio;
  if (stream && format !== 'pcm16') {
    throw invalidRequest(
      `Unsupported value: 'audio.format' does not support '${format}' when stream=true. Supported values are: 'pcm16'.`,
      'audio.format',
      'unsupported_value',
    );
  }
  if (format === 'opus' || format === 'flac' || format === 'aac') {
    throw invalidRequest(
      `Unsupported value: 'audio.format' does not support '${format}' with this model. Supported values are: 'wav', 'mp3', and 'pcm16'.`,
      'audio.format',
      'unsupported_value',
    );
  }
}

function checkHistory(request: ChatRequest, ids: AudioIds): void {
  for (const [index, message] of request.messages.entries()) {
    if (message.role !== 'assistant') continue;
    const id = message.audio?.id;
    if (id !== undefined && ids.transcript(id) === undefined) throw audioNotFound(id, index);
    const calls = message.tool_calls !== undefined && message.tool_calls.length > 0;
    if (id === undefined && !calls && (message.content === undefined || message.content === null)) {
      throw invalidRequest(
        `Invalid value for 'content': expected a string, got null.`,
        `messages.[${index}].content`,
        null,
      );
    }
  }
}

async function inputAudio(request: ChatRequest, mp3: Mp3Decoder): Promise<InputAudio[]> {
  const found: InputAudio[] = [];
  for (const [index, message] of request.messages.entries()) {
    if (message.role !== 'user' || typeof message.content === 'string') continue;
    for (const [at, part] of message.content.entries()) {
      if (part.type !== 'input_audio') continue;
      const param = `messages[${index}].content[${at}].input_audio.data`;
      found.push(await decodeInputAudio(part.input_audio.data, part.input_audio.format, param, mp3));
    }
  }
  return found;
}
