import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import { Mp3Encoder } from '../../audio/mp3.ts';
import { concatSamples } from '../../audio/pcm.ts';
import { encodeWav } from '../../audio/wav.ts';
import { sleep } from '../../time/clock.ts';
import { ApiError } from './api-error.ts';
import type { Answer } from './answer.ts';
import { STREAM_ERROR } from './fault-answers.ts';
import { replySteps, replyText } from './reply.ts';
import { OUTPUT_TOKENS_PER_SECOND, usageOf } from './usage.ts';
import { answerHeaders, envelope, filterResults, pcm16, promptFilterResults } from './wire.ts';

/** What is said, gathered from the steps in which it would be streamed. */
interface Gathered {
  readonly words: string;
  readonly samples: Int16Array;
  readonly finish: 'stop' | 'length' | 'content_filter' | null;
}

/** Sends an answer in one piece, when the sound would have been made: the model makes it at its own speed. */
export async function sendPlainAnswer(answer: Answer): Promise<void> {
  const { exchange, world, settings, fault } = answer;
  const said = await gather(answer);
  const readyAtMs = answer.firstAudioAtMs + (said.samples.length * 1000) / SAMPLE_RATE_HZ / settings.speed;
  const waitMs = readyAtMs - world.clock.nowMs();
  if (waitMs > 0) await sleep(world.clock, waitMs, exchange.signal).catch(() => undefined);
  if (exchange.signal.aborted) return;
  if (fault?.kind === 'error-in-stream') throw new ApiError(500, STREAM_ERROR);

  const body = Buffer.from(JSON.stringify(await bodyOf(answer, said)));
  const headers = { 'content-type': 'application/json', ...answerHeaders(exchange.style) };
  if (fault?.kind === 'bad-json') {
    exchange.send(200, headers, body.subarray(0, body.length / 2));
    return;
  }
  if (fault?.kind === 'stall' || fault?.kind === 'cut') {
    exchange.head(200, { ...headers, 'content-length': String(body.length) });
    await exchange.write(body.subarray(0, body.length / 2));
    if (fault.kind === 'cut') exchange.cut();
    else await exchange.stall();
    return;
  }
  exchange.send(200, headers, body);
  exchange.entry.wordsSent(said.words);
  if (said.samples.length > 0) exchange.entry.soundSent(said.samples);
}

async function gather({ chat, reply, fault }: Answer): Promise<Gathered> {
  if (!reply.spoken) {
    const words = replyText(reply);
    const filtered = fault?.kind === 'filter-reply';
    return { words: filtered ? '' : words, samples: new Int16Array(0), finish: finishOf(fault?.kind, 'stop') };
  }
  const limit = chat.request.max_completion_tokens ?? chat.request.max_tokens ?? Infinity;
  const steps = replySteps(reply, SAMPLE_RATE_HZ / 5, Math.floor((limit / OUTPUT_TOKENS_PER_SECOND) * SAMPLE_RATE_HZ));
  const sounds: Int16Array[] = [];
  let words = '';
  for (;;) {
    const { done, value } = await steps.next();
    if (done === true) return { words, samples: concatSamples(sounds), finish: finishOf(fault?.kind, value) };
    if (value.type === 'words') words += value.text;
    else if (fault?.kind === 'filter-reply' && sounds.length >= fault.afterChunks) {
      return { words, samples: concatSamples(sounds), finish: 'content_filter' };
    } else sounds.push(value.samples);
  }
}

function finishOf(fault: string | undefined, finish: 'stop' | 'length'): Gathered['finish'] {
  return fault === 'filter-reply' ? 'content_filter' : fault === 'no-end-marker' ? null : finish;
}

async function bodyOf(answer: Answer, said: Gathered): Promise<object> {
  const { exchange, world, chat, reply, model, audioId, fault } = answer;
  const base = envelope('chat.completion', model);
  const usage = usageOf(chat, { words: said.words, samples: said.samples.length });
  if (fault?.kind === 'no-choices') return { ...base, usage };

  if (reply.spoken) {
    exchange.entry.audioId = audioId.id;
    if (said.finish === 'stop') world.audioIds.keep(audioId, said.words);
  }
  const data = reply.spoken ? await encode(said.samples, chat.request.audio?.format) : '';
  const audio = {
    id: audioId.id,
    data: fault?.kind === 'bad-base64' ? `${data.slice(0, 9)}*not base64*` : data,
    expires_at: audioId.expiresAt,
    transcript: said.words,
  };
  const message = reply.spoken
    ? { role: 'assistant', content: null, refusal: null, annotations: [], audio }
    : { role: 'assistant', content: said.words, refusal: null, annotations: [] };
  const state = fault?.kind === 'filter-down' ? 'down' : said.finish === 'content_filter' ? 'filtered' : 'safe';
  const azure = exchange.style !== 'openai';
  const choice = {
    index: 0,
    message,
    finish_reason: said.finish,
    ...(azure ? { content_filter_results: filterResults(state) } : {}),
  };
  const prompt = azure ? { prompt_filter_results: promptFilterResults(state === 'down' ? 'down' : 'safe') } : {};
  return { ...base, choices: [choice], usage, ...prompt };
}

async function encode(samples: Int16Array, format: string | undefined): Promise<string> {
  if (format === 'pcm16') return pcm16(samples);
  if (format === 'mp3') return Buffer.from(await encodeMp3(samples)).toString('base64');
  return Buffer.from(encodeWav(samples)).toString('base64');
}

async function encodeMp3(samples: Int16Array): Promise<Uint8Array> {
  const newEncoder = await Mp3Encoder.load();
  const encoder = newEncoder();
  return Buffer.concat([encoder.encode(samples), encoder.finish()]);
}
