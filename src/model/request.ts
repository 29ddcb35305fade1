import type { OpenAI } from 'openai';

import { RequestTooLargeError } from './errors.ts';
import { exchangeOf, MODALITIES, type Exchange } from './modalities.ts';
import type { AssistantMessage, Conversation, ReplyOptions, UserMessage } from './model.ts';

type MessageParam = OpenAI.Chat.ChatCompletionMessageParam;
type PartParam = OpenAI.Chat.ChatCompletionContentPartText | OpenAI.Chat.ChatCompletionContentPartInputAudio;

/**
 * Most audio in one request. The API's limit is 20 MB without saying of what, so this is what stays below it as base64:
 * 312 s of 24 kHz mono WAV.
 */
export const MAX_REQUEST_AUDIO_BYTES = 15_000_000;

/** About three minutes of speech at the API's 20 audio tokens a second: more than anyone listens to, and a bound on cost. */
export const MAX_REPLY_TOKENS = 4_096;

/** A spoken reply counts as forgotten this long before the server says so: clocks differ and requests take time. */
const EXPIRY_MARGIN_MS = 60_000;

export interface RequestOptions extends ReplyOptions {
  /** Deployment or model name. */
  readonly model: string;
  /** Milliseconds since the epoch, to tell which earlier replies the server still has. */
  readonly nowEpochMs: number;
  /** `false`: every earlier reply goes as text. */
  readonly useReferences: boolean;
  readonly maxReplyTokens: number;
}

/** What the model calls in place of an answer. */
export const STAY_SILENT = 'stay_silent';

const STAY_SILENT_TOOL: OpenAI.Chat.ChatCompletionTool = {
  type: 'function',
  function: {
    name: STAY_SILENT,
    description:
      'Call this, and say nothing, when what was said last is plainly meant for somebody else in the room and not for you.',
  },
};

/** A request that the API accepts. */
export interface ModelRequest {
  readonly exchange: Exchange;
  readonly params: OpenAI.Chat.ChatCompletionCreateParamsStreaming;
  /** Raw audio bytes in it. */
  readonly audioBytes: number;
}

/**
 * Turns a conversation into a request. Two rules of the API shape it: streamed audio is pcm16 only, and audio has to be
 * in the input or asked for, so a text reply to written words asks for speech that is then thrown away. Temperature stays
 * at its default: near 0 these models make endless noise.
 *
 * @throws {RequestTooLargeError} beyond {@link MAX_REQUEST_AUDIO_BYTES}.
 * @throws {RangeError} when the last message is not the user's or says nothing.
 */
export function buildRequest(conversation: Conversation, options: RequestOptions): ModelRequest {
  const last = conversation.messages.at(-1);
  if (last?.role !== 'user' || last.parts.length === 0) {
    throw new RangeError('a conversation to answer ends with something the user said');
  }
  const audioBytes = totalAudioBytes(conversation);
  if (audioBytes > MAX_REQUEST_AUDIO_BYTES) {
    throw new RequestTooLargeError({
      operatorHint: `A request with ${audioBytes} bytes of audio was not sent: the limit is ${MAX_REQUEST_AUDIO_BYTES}.`,
    });
  }
  const messages: MessageParam[] = [];
  if (conversation.instructions !== '') messages.push({ role: 'system', content: conversation.instructions });
  for (const message of conversation.messages) {
    const param = message.role === 'user' ? userMessage(message) : assistantMessage(message, options);
    if (param !== undefined) messages.push(param);
  }
  const exchange = exchangeOf(conversation, options.output);
  const modalities = [...MODALITIES[exchange]];
  return {
    exchange,
    audioBytes,
    params: {
      model: options.model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: options.maxReplyTokens,
      modalities,
      ...(options.mayDecline === true && { tools: [STAY_SILENT_TOOL] }),
      ...(modalities.includes('audio') && { audio: { format: 'pcm16', voice: options.voice } }),
    },
  };
}

function totalAudioBytes({ messages }: Conversation): number {
  let bytes = 0;
  for (const message of messages) {
    if (message.role !== 'user') continue;
    for (const part of message.parts) if (part.type === 'speech') bytes += part.speech.data.byteLength;
  }
  return bytes;
}

function userMessage({ parts }: UserMessage): MessageParam | undefined {
  if (parts.length === 0) return undefined;
  // Written words alone go as a plain string, which every server with this API takes.
  if (parts.every((part) => part.type !== 'speech')) {
    return { role: 'user', content: parts.map((part) => part.text).join('\n') };
  }
  return {
    role: 'user',
    content: parts.map((part): PartParam => {
      if (part.type !== 'speech') return { type: 'text', text: part.text };
      const { data, format } = part.speech;
      const base64 = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
      return { type: 'input_audio', input_audio: { data: base64, format } };
    }),
  };
}

function assistantMessage({ audio, text }: AssistantMessage, options: RequestOptions): MessageParam | undefined {
  if (options.useReferences && audio !== undefined && audio.expiresAtMs - EXPIRY_MARGIN_MS > options.nowEpochMs) {
    return { role: 'assistant', audio: { id: audio.id } };
  }
  // A reply of which nothing was heard was never said.
  return text === '' ? undefined : { role: 'assistant', content: text };
}
