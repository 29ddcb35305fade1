import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { MODEL_DEADLINES, ModelTime, type Deadlines } from './deadlines.ts';
import { RequestRefusedError } from './errors.ts';
import type {
  Conversation,
  Model,
  Recording,
  ReplyEvent,
  ReplyOptions,
  TranscribeOptions,
  TranscriptEvent,
} from './model.ts';
import type { Provider } from './provider.ts';
import { buildRequest, MAX_REPLY_TOKENS } from './request.ts';
import { withOneRetry } from './retry.ts';
import { streamReply, type RequestParts } from './stream-reply.ts';
import { transcribeFile, transcribingConversation } from './transcription.ts';
import { ConnectionWarmer } from './warm.ts';

export interface ChatCompletionsOptions {
  readonly provider: Provider;
  readonly clock: Clock;
  readonly log: Log;
  readonly deadlines?: Partial<Deadlines>;
  /** Milliseconds since the epoch, for the expiry dates of earlier replies. */
  readonly wallClockMs?: () => number;
}

/** A model behind the chat-completions API, on Azure or on any server with the same API. */
export class ChatCompletionsModel implements Model {
  readonly #parts: RequestParts;
  readonly #warmer: ConnectionWarmer;
  #refusesTools = false;

  constructor({ deadlines, wallClockMs = Date.now, ...parts }: ChatCompletionsOptions) {
    this.#parts = { ...parts, wallClockMs, deadlines: { ...MODEL_DEADLINES, ...deadlines } };
    this.#warmer = new ConnectionWarmer(this.#parts);
  }

  async *respond(
    conversation: Conversation,
    options: ReplyOptions,
    signal: AbortSignal,
  ): AsyncGenerator<ReplyEvent, void, undefined> {
    if (options.mayDecline !== true || this.#refusesTools) {
      yield* this.#respond(conversation, { ...options, mayDecline: false }, signal);
      return;
    }
    try {
      yield* this.#respond(conversation, options, signal);
    } catch (error) {
      // Not every server with this API, nor every model, takes tools. Without them it answers whenever it is asked.
      if (!(error instanceof RequestRefusedError)) throw error;
      for await (const event of this.#respond(conversation, { ...options, mayDecline: false }, signal)) {
        // What is refused without them, too, was refused for another reason.
        if (!this.#refusesTools)
          this.#parts.log.info({ err: error }, 'the model takes no tools, so it may not decline');
        this.#refusesTools = true;
        yield event;
      }
    }
  }

  async *#respond(
    conversation: Conversation,
    options: ReplyOptions,
    signal: AbortSignal,
  ): AsyncGenerator<ReplyEvent, void, undefined> {
    const parts = this.#parts;
    const { provider, clock, deadlines } = parts;
    const time = new ModelTime(clock, deadlines.totalMs);
    yield* withOneRetry(
      (previous) => {
        const request = buildRequest(conversation, {
          ...options,
          model: provider.model,
          nowEpochMs: parts.wallClockMs(),
          // Some servers answer an unknown earlier reply with a plain 500, so any second attempt does without.
          useReferences: previous === undefined,
          maxReplyTokens: MAX_REPLY_TOKENS,
        });
        return streamReply(parts, request, options.output, time, signal);
      },
      clock,
      signal,
    );
  }

  async *transcribe(
    recording: Recording,
    options: TranscribeOptions,
    signal: AbortSignal,
  ): AsyncGenerator<TranscriptEvent, void, undefined> {
    const { provider, clock, deadlines } = this.#parts;
    const endpoint = provider.transcription;
    if (endpoint) {
      const time = new ModelTime(clock, deadlines.totalMs);
      yield* withOneRetry(() => transcribeFile(this.#parts, endpoint, recording, options, time, signal), clock, signal);
      return;
    }
    if (!('durationMs' in recording)) throw new TypeError(`a conversation takes no ${recording.format}`);
    let text = '';
    // Words only: with audio in the input no voice is asked for, so the name is not used.
    const reply = this.respond(
      transcribingConversation(recording, options),
      { output: 'text', voice: 'alloy' },
      signal,
    );
    for await (const event of reply) {
      if (event.type !== 'text' && event.type !== 'transcript') continue;
      text += event.delta;
      yield { type: 'text', delta: event.delta };
    }
    yield { type: 'done', text };
  }

  /**
   * Opens the connection and signs in ahead of a request that is likely to come within seconds, so that it does not wait
   * for handshakes: call it when someone pauses. Sends an `OPTIONS` request without credentials, which costs nothing and
   * counts towards no limit. Never rejects; does nothing while a connection is fresh.
   */
  warm(signal: AbortSignal): Promise<void> {
    return this.#warmer.warm(signal);
  }
}
