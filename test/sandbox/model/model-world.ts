import { AzureOpenAI, OpenAI } from 'openai';

import { encodeWav } from '../../../src/audio/wav.ts';
import { concatSamples } from '../../../src/audio/pcm.ts';
import type { ModelRequestRecord, SandboxEvent } from '../../../src/sandbox/control/protocol.ts';
import { startModelServer } from '../../../src/sandbox/model/model-server.ts';
import type { ModelService, ModelServiceOptions } from '../../../src/sandbox/model/service.ts';
import type { Synthesizer } from '../../../src/sandbox/speech.ts';

export type Params = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;
export type StreamParams = OpenAI.Chat.ChatCompletionCreateParamsStreaming;
export type Chunk = OpenAI.Chat.ChatCompletionChunk;
export const MODEL = 'gpt-audio-1.5';
export const API_VERSION = '2025-01-01-preview';

/** A model server with its events, and the three ways to address it. */
export interface ModelWorld extends AsyncDisposable {
  readonly server: ModelService;
  readonly events: SandboxEvent[];
  /** Resolves with the first event, past or future, that fits. */
  seen<Type extends SandboxEvent['type']>(type: Type, requestId?: string): Promise<SandboxEvent & { type: Type }>;
  readonly clients: Readonly<Record<'dated' | 'azureV1' | 'openai', OpenAI>>;
  lastRequest(): Promise<ModelRequestRecord>;
}

export async function startModelWorld(
  synthesizer: Synthesizer,
  options: Omit<ModelServiceOptions, 'emit'> = {},
): Promise<ModelWorld> {
  const events: SandboxEvent[] = [];
  const waiting = new Set<() => void>();
  const server = await startModelServer({
    ...options,
    synthesizer,
    emit(event) {
      events.push(event);
      for (const check of waiting) check();
    },
  });
  const { url, apiKey } = server;
  return {
    server,
    events,
    seen: (type, requestId) => {
      const { promise, resolve } = Promise.withResolvers<SandboxEvent & { type: typeof type }>();
      const check = (): void => {
        for (const event of events) {
          if (!isOfType(event, type)) continue;
          if (requestId !== undefined && (!('requestId' in event) || event.requestId !== requestId)) continue;
          waiting.delete(check);
          resolve(event);
          return;
        }
      };
      waiting.add(check);
      check();
      return promise;
    },
    clients: {
      dated: new AzureOpenAI({ endpoint: url, apiKey, apiVersion: API_VERSION, maxRetries: 0, logLevel: 'off' }),
      azureV1: new OpenAI({ baseURL: `${url}/openai/v1`, apiKey, maxRetries: 0, logLevel: 'off' }),
      openai: new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, logLevel: 'off' }),
    },
    async lastRequest() {
      const records = await server.methods.modelRequests({});
      const last = records.at(-1);
      if (last === undefined) throw new Error('no request has come');
      return last;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function isOfType<Type extends SandboxEvent['type']>(
  event: SandboxEvent,
  type: Type,
): event is SandboxEvent & { type: Type } {
  return event.type === type;
}

export function audioPart(samples: Int16Array, sampleRateHz?: number): OpenAI.Chat.ChatCompletionContentPartInputAudio {
  const data = Buffer.from(encodeWav(samples, sampleRateHz)).toString('base64');
  return { type: 'input_audio', input_audio: { format: 'wav', data } };
}

/** A request for a spoken answer, streamed. */
export function spoken(messages: Params['messages'], more: Partial<StreamParams> = {}): StreamParams {
  return {
    model: MODEL,
    modalities: ['text', 'audio'],
    audio: { voice: 'alloy', format: 'pcm16' },
    messages,
    ...more,
    stream: true,
  };
}

/** A request for a spoken answer in one piece. */
export function plain(messages: Params['messages'], more: Partial<Params> = {}): Params {
  return {
    model: MODEL,
    modalities: ['text', 'audio'],
    audio: { voice: 'alloy', format: 'wav' },
    messages,
    ...more,
    stream: false,
  };
}

export interface Heard {
  readonly chunks: Chunk[];
  readonly transcript: string;
  readonly text: string;
  readonly samples: Int16Array;
  readonly audioId: string | undefined;
  readonly finish: string | null | undefined;
  readonly usage: OpenAI.CompletionUsage | undefined;
}

export async function hear(client: OpenAI, params: StreamParams): Promise<Heard> {
  const chunks: Chunk[] = [];
  for await (const chunk of await client.chat.completions.create(params)) chunks.push(chunk);
  return told(chunks);
}

/** What a stream has said. */
export function told(chunks: Chunk[]): Heard {
  const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
  const sounds = deltas.flatMap(({ audio }) => (audio?.data === undefined ? [] : [samplesOf(audio.data)]));
  return {
    chunks,
    transcript: deltas.map(({ audio }) => audio?.transcript ?? '').join(''),
    text: deltas.map(({ content }) => content ?? '').join(''),
    samples: concatSamples(sounds),
    audioId: deltas.find(({ audio }) => audio?.id !== undefined)?.audio?.id,
    finish: chunks.flatMap(({ choices }) => choices.map(({ finish_reason: finish }) => finish)).findLast(Boolean),
    usage: chunks.at(-1)?.usage ?? undefined,
  };
}

export function samplesOf(base64: string): Int16Array {
  const bytes = Buffer.from(base64, 'base64');
  // Faults send half samples: what is not a whole one is not looked at here.
  return new Int16Array(Uint8Array.from(bytes.subarray(0, bytes.length - (bytes.length % 2))).buffer);
}
