import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import { sleep } from '../../time/clock.ts';
import type { ModelFault } from '../control/protocol.ts';
import { ApiError } from './api-error.ts';
import { writeDown } from './echo.ts';
import type { Exchange } from './exchange.ts';
import { answerFault, STREAM_ERROR } from './fault-answers.ts';
import type { Operation } from './operation.ts';
import { transcriptBody } from './transcript-formats.ts';
import { acceptTranscription, modelOfForm, parseForm, recordForm } from './transcription-request.ts';
import { answerHeaders, frame } from './wire.ts';
import { DEPLOYMENTS } from './world.ts';
import type { ModelWorld } from './world.ts';

/**
 * `/audio/transcriptions`. It recognises no speech: it writes down what this sandbox's own synthesiser has spoken, and of
 * other sound how long it is.
 */
export const TRANSCRIPTION: Operation<FormData> = {
  endpoint: 'transcription',
  name: 'transcription',
  parse: parseForm,
  modelOf: modelOfForm,
  answer: answerTranscription,
};

async function answerTranscription(
  exchange: Exchange,
  world: ModelWorld,
  model: string,
  form: FormData,
): Promise<void> {
  const { entry } = exchange;
  const dueAtMs = entry.atMs + world.settings.firstAudioMs;
  const recorded = await recordForm(form, world.mp3);
  entry.body = recorded.body;
  entry.audio = recorded.audio;

  const fault = world.faults.take('transcription', false);
  if (fault !== undefined && (await answerFault(exchange, fault, { clock: world.clock, model })) === 'answered') return;

  const accepted = acceptTranscription(form, recorded.audio, DEPLOYMENTS.get(model) ?? 'transcribe', model);
  const { samples, file } = accepted;
  const text =
    file.samples === undefined ? `[a file in the format ${file.format}]` : await writeDown(samples, world.synthesizer);
  const waitMs = dueAtMs + (fault?.kind === 'delay' ? fault.ms : 0) - world.clock.nowMs();
  if (waitMs > 0) await sleep(world.clock, waitMs, exchange.signal).catch(() => undefined);
  if (exchange.signal.aborted) return;
  if (accepted.stream) await streamText(exchange, text, accepted.samples, fault);
  else await sendText(exchange, text, accepted, fault);
}

async function sendText(
  exchange: Exchange,
  text: string,
  accepted: { samples: Int16Array; format: string; wordTimes: boolean },
  fault: ModelFault | undefined,
): Promise<void> {
  if (fault?.kind === 'error-in-stream') throw new ApiError(500, STREAM_ERROR);
  const { contentType, body } = transcriptBody(text, accepted);
  const bytes = Buffer.from(body);
  const headers = { 'content-type': contentType, ...answerHeaders(exchange.style) };
  if (fault?.kind === 'bad-json' || fault?.kind === 'no-end-marker') {
    exchange.send(200, headers, bytes.subarray(0, bytes.length / 2));
    return;
  }
  if (fault?.kind === 'stall' || fault?.kind === 'cut') {
    exchange.head(200, { ...headers, 'content-length': String(bytes.length) });
    await exchange.write(bytes.subarray(0, bytes.length / 2));
    await leave(exchange, fault.kind);
    return;
  }
  exchange.send(200, headers, bytes);
  exchange.entry.wordsSent(text);
}

async function streamText(
  exchange: Exchange,
  text: string,
  samples: Int16Array,
  fault: ModelFault | undefined,
): Promise<void> {
  exchange.head(200, { 'content-type': 'text/event-stream; charset=utf-8', ...answerHeaders(exchange.style) });
  const words = text.match(/\s*\S+/gu) ?? [];
  const failAt =
    fault !== undefined && 'afterChunks' in fault && fault.afterChunks !== 'headers' ? fault.afterChunks : Infinity;
  for (const delta of words.slice(0, failAt)) {
    await exchange.write(frame({ type: 'transcript.text.delta', delta }));
    exchange.entry.wordsSent(delta);
  }
  if (fault?.kind === 'bad-json') await exchange.write('data: {"type":"transcript.text.de\n\n');
  else if (fault?.kind === 'error-in-stream') await exchange.write(frame(STREAM_ERROR));
  else if (fault?.kind === 'stall' || fault?.kind === 'cut') {
    await leave(exchange, fault.kind);
    return;
  } else if (fault?.kind !== 'no-end-marker') {
    const seconds = samples.length / SAMPLE_RATE_HZ;
    const usage = { type: 'tokens', input_tokens: Math.ceil(seconds * 10), output_tokens: words.length };
    await exchange.write(frame({ type: 'transcript.text.done', text, usage }));
  }
  exchange.end();
}

async function leave(exchange: Exchange, how: 'stall' | 'cut'): Promise<void> {
  if (how === 'cut') exchange.cut();
  else await exchange.stall();
}
