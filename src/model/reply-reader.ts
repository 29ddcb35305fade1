import { z } from 'zod';

import { Framer } from '../audio/framer.ts';
import { ContentFilterDownError, ContentFilteredError, MalformedReplyError, TruncatedReplyError } from './errors.ts';
import type { AudioReference, ReplyDone, ReplyEvent, ReplyOptions, Usage } from './model.ts';
import { operatorHint } from './operator-hint.ts';
import { decodeBase64, SampleReader } from './pcm.ts';
import type { ProviderFacts } from './provider.ts';
import { STAY_SILENT } from './request.ts';

const Tokens = z.number().nonnegative().catch(0);

const UsageShape = z.object({
  prompt_tokens: Tokens,
  completion_tokens: Tokens,
  prompt_tokens_details: z.object({ audio_tokens: Tokens, cached_tokens: Tokens }).nullish(),
  completion_tokens_details: z.object({ audio_tokens: Tokens }).nullish(),
});

/** What Azure's content filter says; `error` when it did not run. */
const FilterResults = z
  .object({ error: z.object({ code: z.string() }).nullish() })
  .nullish()
  .catch(undefined);

const FilteredShape = z.object({ content_filter_results: FilterResults });

/** What is used of a chunk; servers with the same API differ in the rest. */
const ChunkShape = z.object({
  choices: z
    .array(
      z.object({
        delta: z
          .object({
            content: z.string().nullish(),
            tool_calls: z
              .array(z.object({ function: z.object({ name: z.string().nullish() }).nullish() }))
              .nullish()
              .catch(undefined),
            audio: z
              .object({
                id: z.string().nullish(),
                data: z.string().nullish(),
                transcript: z.string().nullish(),
                expires_at: z.number().nullish(),
              })
              .nullish(),
          })
          .nullish(),
        finish_reason: z.string().nullish(),
        content_filter_results: FilterResults,
      }),
    )
    .nullish(),
  prompt_filter_results: z.array(FilteredShape).nullish().catch(undefined),
  usage: UsageShape.nullish().catch(undefined),
});

/**
 * Reads the chunks of one streamed reply. Knows what the stream may look like: Azure's first chunk has no choices, nor has
 * the last with the token count; audio comes as base64 padded in each chunk by itself, split anywhere, even inside a
 * sample; and the end is marked by a finish reason or by an audio update that holds only its expiry date.
 */
export class ReplyReader {
  readonly #output: ReplyOptions['output'];
  readonly #provider: ProviderFacts;
  readonly #samples = new SampleReader();
  readonly #framer = new Framer();
  #sawChoice = false;
  #sawWords = false;
  #declined = false;
  #audioBytes = 0;
  #audioId: string | undefined;
  #expiresAtMs: number | undefined;
  #finish: ReplyDone['finish'] | undefined;
  #usage: Usage | undefined;

  constructor(output: ReplyOptions['output'], provider: ProviderFacts) {
    this.#output = output;
    this.#provider = provider;
  }

  /** The server has said that the reply is complete; a token count may still follow. */
  get complete(): boolean {
    return this.#finish !== undefined;
  }

  /** Bytes of PCM received, also when the reply is wanted as text. */
  get audioBytes(): number {
    return this.#audioBytes;
  }

  get usage(): Usage | undefined {
    return this.#usage;
  }

  get audioId(): string | undefined {
    return this.#audioId;
  }

  /**
   * The events in one chunk.
   * @throws {MalformedReplyError | ContentFilterDownError}
   */
  *read(chunk: unknown): Generator<ReplyEvent, void, undefined> {
    const parsed = ChunkShape.safeParse(chunk);
    if (!parsed.success) throw this.#malformed(parsed.error);
    const { choices, usage, prompt_filter_results: promptFilter } = parsed.data;
    this.#checkFilter(promptFilter?.[0]);
    if (usage) this.#usage = toUsage(usage);
    const choice = choices?.[0];
    if (choice === undefined) return;
    this.#sawChoice = true;
    this.#checkFilter(choice);
    const { content, audio, tool_calls: calls } = choice.delta ?? {};
    if (calls?.some((one) => one.function?.name === STAY_SILENT)) this.#declined = true;
    if (content) {
      this.#sawWords = true;
      yield { type: 'text', delta: content };
    }
    if (audio?.id) this.#audioId = audio.id;
    if (audio?.expires_at) this.#expiresAtMs = audio.expires_at * 1000;
    if (audio?.transcript) {
      this.#sawWords = true;
      yield { type: 'transcript', delta: audio.transcript };
    }
    if (audio?.data) yield* this.#sound(audio.data);
    // Servers also send the expiry date with the first piece, or with each: alone, and after something, it means the end.
    if (audio?.expires_at && !audio.data && !audio.transcript && !this.#empty) this.#finish ??= 'stop';
    if (choice.finish_reason) this.#finish = toFinish(choice.finish_reason);
  }

  /**
   * What is left once the stream has ended.
   * @throws {TruncatedReplyError} when nothing said that the reply is complete.
   * @throws {MalformedReplyError} when the stream was no reply at all, or its sound ends inside a sample.
   * @throws {ContentFilteredError} when the filter cut the reply before its first word.
   */
  *end(): Generator<ReplyEvent, void, undefined> {
    if (!this.#sawChoice) throw this.#malformed();
    if (this.#finish === undefined) {
      throw new TruncatedReplyError({ operatorHint: operatorHint('truncated', this.#provider) });
    }
    if (this.#empty && this.#finish === 'filtered') {
      throw new ContentFilteredError('reply', { operatorHint: operatorHint('filtered', this.#provider) });
    }
    // Words count for more: who speaks does not stay silent.
    if (this.#empty && this.#declined) this.#finish = 'declined';
    if ((this.#empty && this.#finish === 'stop') || this.#samples.splitsSample) throw this.#malformed();
    const frame = this.#framer.flush();
    if (frame !== undefined) yield { type: 'audio', frame };
    yield { type: 'done', finish: this.#finish, audio: this.#reference(), usage: this.#usage };
  }

  get #empty(): boolean {
    return !this.#sawWords && this.#audioBytes === 0;
  }

  *#sound(data: string): Generator<ReplyEvent, void, undefined> {
    const bytes = decodeBase64(data);
    if (bytes === undefined) throw this.#malformed();
    this.#audioBytes += bytes.length;
    if (this.#output === 'text') return;
    for (const frame of this.#framer.push(this.#samples.read(bytes))) yield { type: 'audio', frame };
  }

  /** A reply that was cut is not what the server keeps, and one without an expiry date cannot be relied on. */
  #reference(): AudioReference | undefined {
    if (this.#audioId === undefined || this.#expiresAtMs === undefined || this.#finish === 'filtered') return undefined;
    return { id: this.#audioId, expiresAtMs: this.#expiresAtMs };
  }

  /** Azure answers with content that its filter has not looked at, and says so beside it. It is not passed on. */
  #checkFilter(filtered: z.infer<typeof FilteredShape> | undefined): void {
    if (filtered?.content_filter_results?.error?.code !== 'content_filter_error') return;
    throw new ContentFilterDownError({ operatorHint: operatorHint('filter-down', this.#provider) });
  }

  #malformed(cause?: unknown): MalformedReplyError {
    return new MalformedReplyError({ operatorHint: operatorHint('malformed', this.#provider), cause });
  }
}

function toFinish(reason: string): ReplyDone['finish'] {
  if (reason === 'length') return 'length';
  return reason === 'content_filter' ? 'filtered' : 'stop';
}

function toUsage(usage: z.infer<typeof UsageShape>): Usage {
  return {
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    inputAudioTokens: usage.prompt_tokens_details?.audio_tokens ?? 0,
    outputAudioTokens: usage.completion_tokens_details?.audio_tokens ?? 0,
    cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
  };
}
