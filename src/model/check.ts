import { MODEL_DEADLINES, ModelTime } from './deadlines.ts';
import { ModelBusyError, ModelError } from './errors.ts';
import type { ChatCompletionsOptions } from './chat-completions.ts';
import { buildRequest } from './request.ts';
import { streamReply } from './stream-reply.ts';

/** Enough to begin an answer. */
const MAX_REPLY_TOKENS = 16;

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
  try {
    for await (const _ of streamReply({ ...options, wallClockMs, deadlines }, request, 'text', time, signal)) break;
    return undefined;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return error instanceof ModelBusyError && error.shouldRetry() ? undefined : error;
  }
}
