import { SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { encodeWav } from '../audio/wav.ts';
import { MODEL_DEADLINES, ModelTime } from './deadlines.ts';
import { ModelBusyError, ModelError } from './errors.ts';
import type { ChatCompletionsOptions } from './chat-completions.ts';
import type { Speech } from './model.ts';
import { buildRequest } from './request.ts';
import { streamReply } from './stream-reply.ts';
import { transcribeFile } from './transcription.ts';

/** Enough to begin an answer. */
const MAX_REPLY_TOKENS = 16;

/** Half a second in which nothing is said: the endpoint wants a tenth. */
const SILENCE: Speech = { format: 'wav', data: encodeWav(new Int16Array(SAMPLE_RATE_HZ / 2)), durationMs: 500 };

/**
 * Tries the endpoint that writes speech down, if there is one, as {@link checkModel} tries the model; and learns in which
 * form it answers.
 *
 * @throws the signal's reason once it has aborted.
 */
export async function checkTranscription(
  options: ChatCompletionsOptions,
  signal: AbortSignal,
): Promise<ModelError | undefined> {
  const { provider, clock, wallClockMs = Date.now } = options;
  if (!provider.transcription) return undefined;
  const deadlines = { ...MODEL_DEADLINES, ...options.deadlines };
  const time = new ModelTime(clock, deadlines.totalMs);
  const parts = { ...options, wallClockMs, deadlines };
  return troubleOf(transcribeFile(parts, provider.transcription, SILENCE, { language: undefined }, time, signal));
}

/**
 * Asks the model for one word and stops at the first sign of it: the cheapest request that goes through the address, the
 * credentials and the deployment. (Azure has no endpoint that lists deployments for the role this program needs.)
 * Resolves to what is wrong, whose `operatorHint` is the sentence to show, or to `undefined`. A model that is only busy
 * is not wrong: it has let us in.
 *
 * @throws the signal's reason once it has aborted.
 */
export async function checkModel(
  options: ChatCompletionsOptions,
  signal: AbortSignal,
): Promise<ModelError | undefined> {
  const deadlines = { ...MODEL_DEADLINES, ...options.deadlines };
  const { provider, clock, wallClockMs = Date.now } = options;
  const request = buildRequest(
    { instructions: '', messages: [{ role: 'user', parts: [{ type: 'text', text: 'Say hello.' }] }] },
    {
      output: 'text',
      voice: 'alloy',
      model: provider.model,
      nowEpochMs: wallClockMs(),
      useReferences: false,
      maxReplyTokens: MAX_REPLY_TOKENS,
    },
  );
  const time = new ModelTime(clock, deadlines.totalMs);
  return troubleOf(streamReply({ ...options, wallClockMs, deadlines }, request, 'text', time, signal));
}

/** Waits for the first sign of an answer. */
async function troubleOf(answer: AsyncIterable<unknown>): Promise<ModelError | undefined> {
  try {
    for await (const _ of answer) break;
    return undefined;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return error instanceof ModelBusyError && error.shouldRetry() ? undefined : error;
  }
}
