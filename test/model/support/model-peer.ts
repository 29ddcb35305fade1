import { decodeWav } from '../../../src/audio/wav.ts';
import { toInt16 } from '../../../src/audio/pcm.ts';
import { ChatCompletionsModel } from '../../../src/model/chat-completions.ts';
import type { Deadlines } from '../../../src/model/deadlines.ts';
import type { Conversation, ReplyDone, ReplyEvent, Speech, UserMessage } from '../../../src/model/model.ts';
import { createProvider, type ProviderOptions } from '../../../src/model/provider.ts';
import type { ModelRequestRecord, SandboxEvent } from '../../../src/sandbox/control/protocol.ts';
import { startModelServer } from '../../../src/sandbox/model/model-server.ts';
import type { ModelService } from '../../../src/sandbox/model/service.ts';
import { createSynthesizer, type Synthesizer } from '../../../src/sandbox/speech.ts';
import { monotonicClock, type Clock } from '../../../src/time/clock.ts';
import { RecordedLog } from './recorded-log.ts';

/** The sandbox's model, answering as fast as it can, and what tests ask of it. */
export interface ModelPeer extends AsyncDisposable {
  readonly service: ModelService;
  readonly synthesizer: Synthesizer;
  /** The requests since the last call, once those to the model have ended. */
  takeRequests(): Promise<ModelRequestRecord[]>;
  /** Resolves at the next event of this type. */
  next(type: SandboxEvent['type']): Promise<void>;
  azure(more?: Partial<Extract<ProviderOptions, { kind: 'azure' }>>): ProviderOptions;
}

export async function startModelPeer(): Promise<ModelPeer> {
  const synthesizer = createSynthesizer();
  const listeners = new Set<(event: SandboxEvent) => void>();
  const emit = (event: SandboxEvent) => {
    for (const listener of listeners) listener(event);
  };
  const service = await startModelServer({ emit, synthesizer });
  await service.methods.setModel({ firstAudioMs: 0, speed: 10_000 });
  let taken = 0;

  function next(type: SandboxEvent['type']): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const listener = (event: SandboxEvent) => {
      if (event.type !== type) return;
      listeners.delete(listener);
      resolve();
    };
    listeners.add(listener);
    return promise;
  }

  return {
    service,
    synthesizer,
    next,
    async takeRequests() {
      for (;;) {
        const ended = next('model-ended');
        const requests = (await service.methods.modelRequests({})).slice(taken);
        if (requests.every(({ endpoint, endedAtMs }) => endpoint === 'token' || endedAtMs !== undefined)) {
          taken += requests.length;
          return requests;
        }
        await ended;
      }
    },
    azure: (more) => ({
      kind: 'azure',
      endpoint: service.url,
      deployment: 'gpt-audio-1.5',
      apiVersion: undefined,
      auth: { kind: 'key', key: service.apiKey },
      transcribeModel: undefined,
      ...more,
    }),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await synthesizer[Symbol.asyncDispose]();
    },
  };
}

export interface ModelUnderTest {
  readonly model: ChatCompletionsModel;
  readonly log: RecordedLog;
}

export function makeModel(
  options: ProviderOptions,
  more: { deadlines?: Partial<Deadlines>; clock?: Clock; wallClockMs?: () => number } = {},
): ModelUnderTest {
  const log = new RecordedLog();
  const clock = more.clock ?? monotonicClock;
  const provider = createProvider(options, { clock, log });
  return { log, model: new ChatCompletionsModel({ ...more, provider, clock, log }) };
}

export const calm = new AbortController().signal;

export function written(text: string): UserMessage {
  return { role: 'user', parts: [{ type: 'text', text }] };
}

export function asking(text: string): Conversation {
  return { instructions: 'Be brief.', messages: [written(text)] };
}

export function spoken(speech: Speech, label = 'Alice:'): UserMessage {
  return {
    role: 'user',
    parts: [
      { type: 'text', text: label },
      { type: 'speech', speech },
    ],
  };
}

/** A whole reply, put together. */
export interface WholeReply {
  readonly samples: Int16Array;
  readonly frames: readonly Int16Array[];
  readonly transcript: string;
  readonly text: string;
  readonly done: ReplyDone;
}

export async function collect(events: AsyncIterable<ReplyEvent>): Promise<WholeReply> {
  const frames: Int16Array[] = [];
  const done: ReplyDone[] = [];
  let transcript = '';
  let text = '';
  for await (const event of events) {
    if (done.length > 0) throw new Error(`${event.type} after done`);
    if (event.type === 'audio') frames.push(event.frame);
    else if (event.type === 'transcript') transcript += event.delta;
    else if (event.type === 'text') text += event.delta;
    else done.push(event);
  }
  const [end] = done;
  if (end === undefined) throw new Error('a reply without done');
  const samples = Int16Array.from(frames.flatMap((frame) => [...frame]));
  return { samples, frames, transcript, text, done: end };
}

/** What an iterable throws; an error when it does not. */
export async function failureOf(events: AsyncIterable<unknown>): Promise<unknown> {
  try {
    for await (const _ of events);
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

export function samplesOf(wav: string | undefined): Int16Array {
  const [mono] = decodeWav(Buffer.from(wav ?? '', 'base64')).channels;
  return toInt16(mono ?? new Float32Array(0));
}
