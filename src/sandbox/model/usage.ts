import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import type { AcceptedChat } from './chat-request.ts';
import { textOf } from './echo.ts';

/** "Audio tokens in user messages are 1 token per 100 ms of audio, while audio tokens in assistant messages are 1 token per 50ms" (OpenAI, realtime costs). */
const INPUT_TOKENS_PER_SECOND = 10;
export const OUTPUT_TOKENS_PER_SECOND = 20;
const CHARACTERS_PER_TOKEN = 4;

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { audio_tokens: number; text_tokens: number; cached_tokens: number };
  readonly completion_tokens_details: { audio_tokens: number; text_tokens: number; reasoning_tokens: number };
}

/** What a request and its answer come to. Nothing is ever cached. */
export function usageOf(chat: AcceptedChat, answer: { words: string; samples: number }): Usage {
  const audioIn = chat.audio.reduce(
    (sum, { samples }) => sum + audioTokens(samples.length, INPUT_TOKENS_PER_SECOND),
    0,
  );
  const textIn = chat.request.messages.reduce((sum, message) => sum + textTokens(textOf(message)), 0);
  const audioOut = audioTokens(answer.samples, OUTPUT_TOKENS_PER_SECOND);
  const textOut = textTokens(answer.words);
  return {
    prompt_tokens: audioIn + textIn,
    completion_tokens: audioOut + textOut,
    total_tokens: audioIn + textIn + audioOut + textOut,
    prompt_tokens_details: { audio_tokens: audioIn, text_tokens: textIn, cached_tokens: 0 },
    completion_tokens_details: { audio_tokens: audioOut, text_tokens: textOut, reasoning_tokens: 0 },
  };
}

function audioTokens(samples: number, perSecond: number): number {
  return Math.ceil((samples / SAMPLE_RATE_HZ) * perSecond);
}

function textTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}
