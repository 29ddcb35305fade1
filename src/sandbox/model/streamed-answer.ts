import { z } from 'zod';

import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import { sleep } from '../../time/clock.ts';
import type { Answer } from './answer.ts';
import { STREAM_ERROR } from './fault-answers.ts';
import { replySteps, replyText } from './reply.ts';
import { OUTPUT_TOKENS_PER_SECOND, usageOf } from './usage.ts';
import { answerHeaders, END_OF_STREAM, envelope, filterResults, frame, pcm16, promptFilterResults } from './wire.ts';

/** The opening frames and the first words come this long before the first sound, or at half the time there is. */
const OPENING_LEAD_MS = 100;
/** Between the words of an answer without sound. */
const WORD_PACE_MS = 10;

/** Sends an answer as server-sent events, in time. Returns when it is complete, or the client has gone. */
export async function streamAnswer(answer: Answer): Promise<void> {
  const stream = new AnswerStream(answer);
  try {
    await stream.run();
  } catch (error) {
    if (!answer.exchange.signal.aborted) throw error;
  }
}

const STAY_SILENT = 'stay_silent';

class AnswerStream {
  readonly #answer: Answer;
  readonly #azure: boolean;
  readonly #base: object;
  /** Sounds (or, in text, words) sent so far: what faults count. */
  #chunks = 0;
  #samples = 0;
  #words = '';
  /** Half a sample that is still to be sent: the `odd-bytes` fault. */
  #oddByte: Uint8Array = new Uint8Array(0);

  constructor(answer: Answer) {
    this.#answer = answer;
    this.#azure = answer.exchange.style !== 'openai';
    const withUsage = answer.chat.request.stream_options?.include_usage === true;
    this.#base = { ...envelope('chat.completion.chunk', answer.model), ...(withUsage ? { usage: null } : {}) };
  }

  async run(): Promise<void> {
    const { exchange, world, fault, firstAudioAtMs } = this.#answer;
    const lead = Math.min(OPENING_LEAD_MS, (firstAudioAtMs - world.clock.nowMs()) / 2);
    await this.#until(firstAudioAtMs - lead);
    exchange.head(200, { 'content-type': 'text/event-stream; charset=utf-8', ...answerHeaders(exchange.style) });
    if (fault?.kind === 'no-choices') {
      await exchange.write(frame(this.#base) + END_OF_STREAM);
      exchange.end();
      return;
    }
    const filter = fault?.kind === 'filter-down' ? 'down' : 'safe';
    if (this.#azure) {
      await exchange.write(frame({ ...this.#base, choices: [], prompt_filter_results: promptFilterResults(filter) }));
    }
    if (this.#declines) {
      await this.#decline();
      return;
    }
    const finish = this.#answer.reply.spoken ? await this.#speak() : await this.#writeText();
    if (finish === 'ended') return;
    if (await this.#fault(true)) return;
    await this.#close(finish);
  }

  /** Told to, and offered to. */
  get #declines(): boolean {
    const { chat, settings } = this.#answer;
    const tools = z.array(z.object({ function: z.object({ name: z.string() }) })).safeParse(chat.request.tools);
    return settings.declines && tools.data?.some((tool) => tool.function.name === STAY_SILENT) === true;
  }

  async #decline(): Promise<void> {
    const call = { index: 0, id: 'call_1', type: 'function', function: { name: STAY_SILENT, arguments: '{}' } };
    await this.#delta({ role: 'assistant', content: null, tool_calls: [call] });
    await this.#delta({}, 'tool_calls');
    await this.#end();
  }

  async #speak(): Promise<'stop' | 'length' | 'ended'> {
    const { exchange, settings, reply, audioId, chat, firstAudioAtMs } = this.#answer;
    exchange.entry.audioId = audioId.id;
    const audio = { id: audioId.id, expires_at: audioId.expiresAt, transcript: '' };
    await this.#delta({ role: 'assistant', content: null, refusal: null, audio });
    if (this.#answer.fault?.kind === 'bad-json') return await this.#halfEvent();

    const chunkSamples = Math.max(1, Math.round((settings.chunkMs * SAMPLE_RATE_HZ) / 1000));
    const limit = chat.request.max_completion_tokens ?? chat.request.max_tokens ?? Infinity;
    const steps = replySteps(reply, chunkSamples, Math.floor((limit / OUTPUT_TOKENS_PER_SECOND) * SAMPLE_RATE_HZ));
    for (;;) {
      const { done, value } = await steps.next();
      if (done === true) return value;
      if (value.type === 'words') {
        await this.#delta({ audio: { transcript: value.text } });
        this.#sentWords(value.text);
        continue;
      }
      const playedMs = (this.#samples * 1000) / SAMPLE_RATE_HZ;
      await this.#until(firstAudioAtMs + playedMs / settings.speed);
      if (await this.#fault(false)) return 'ended';
      await this.#delta({ audio: { data: this.#encode(value.samples) } });
      if (exchange.signal.aborted) return 'ended';
      this.#chunks++;
      this.#samples += value.samples.length;
      exchange.entry.soundSent(value.samples);
    }
  }

  async #writeText(): Promise<'stop' | 'ended'> {
    const { reply, firstAudioAtMs } = this.#answer;
    await this.#delta({ role: 'assistant', content: '', refusal: null });
    if (this.#answer.fault?.kind === 'bad-json') return await this.#halfEvent();
    for (const word of replyText(reply).match(/\s*\S+\s*$|\s*\S+/gu) ?? []) {
      await this.#until(firstAudioAtMs + this.#chunks * WORD_PACE_MS);
      if (await this.#fault(false)) return 'ended';
      await this.#delta({ content: word });
      this.#sentWords(word);
      this.#chunks++;
    }
    return 'stop';
  }

  /** The end of a whole answer. */
  async #close(finish: 'stop' | 'length' | 'content_filter'): Promise<void> {
    const { world, reply, audioId } = this.#answer;
    if (reply.spoken) {
      if (this.#oddByte.length > 0)
        await this.#delta({ audio: { data: Buffer.from(this.#oddByte).toString('base64') } });
      await this.#delta({ audio: { expires_at: audioId.expiresAt } });
      if (finish === 'stop') world.audioIds.keep(audioId, this.#words);
    }
    await this.#delta({}, finish);
    await this.#end();
  }

  async #end(): Promise<void> {
    const { exchange, chat } = this.#answer;
    if (chat.request.stream_options?.include_usage === true) {
      const usage = usageOf(chat, { words: this.#words, samples: this.#samples });
      await exchange.write(frame({ ...this.#base, choices: [], usage }));
    }
    await exchange.write(END_OF_STREAM);
    exchange.end();
  }

  /** Does what the fault wants at this point: before the sound it names, or `atEnd` when the answer was shorter. */
  async #fault(atEnd: boolean): Promise<boolean> {
    const { exchange, fault } = this.#answer;
    if (fault === undefined || !('afterChunks' in fault) || fault.afterChunks === 'headers') return false;
    if (!atEnd && this.#chunks < fault.afterChunks) return false;
    if (fault.kind === 'stall') await exchange.stall();
    else if (fault.kind === 'cut') exchange.cut();
    else if (fault.kind === 'filter-reply') await this.#close('content_filter');
    else {
      if (fault.kind === 'error-in-stream') await exchange.write(frame(STREAM_ERROR));
      exchange.end();
    }
    return true;
  }

  async #halfEvent(): Promise<'ended'> {
    await this.#answer.exchange.write('data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"audio":{"da\n\n');
    this.#answer.exchange.end();
    return 'ended';
  }

  async #delta(delta: object, finish: string | null = null): Promise<void> {
    const { exchange, fault } = this.#answer;
    const state = finish === 'content_filter' ? 'filtered' : fault?.kind === 'filter-down' ? 'down' : 'safe';
    const filter = this.#azure
      ? { content_filter_results: finish === null && state !== 'down' ? {} : filterResults(state) }
      : {};
    await exchange.write(frame({ ...this.#base, choices: [{ index: 0, delta, finish_reason: finish, ...filter }] }));
  }

  #encode(samples: Int16Array): string {
    const { fault } = this.#answer;
    if (fault?.kind === 'bad-base64') return `${pcm16(samples).slice(0, 9)}*not base64*`;
    if (fault?.kind !== 'odd-bytes') return pcm16(samples);
    const bytes = Buffer.concat([
      this.#oddByte,
      new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength),
    ]);
    const even = bytes.length % 2 === 0;
    this.#oddByte = even ? bytes.subarray(bytes.length - 1) : new Uint8Array(0);
    return bytes.subarray(0, bytes.length - this.#oddByte.length).toString('base64');
  }

  #sentWords(words: string): void {
    this.#words += words;
    this.#answer.exchange.entry.wordsSent(words);
  }

  /** @throws the signal's reason when the client goes away. */
  async #until(atMs: number): Promise<void> {
    const { world, exchange } = this.#answer;
    const waitMs = atMs - world.clock.nowMs();
    if (waitMs > 0) await sleep(world.clock, waitMs, exchange.signal);
    exchange.signal.throwIfAborted();
  }
}
