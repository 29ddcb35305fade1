import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { encodeWav } from '../../src/audio/wav.ts';
import type { Speech, TranscriptEvent } from '../../src/model/model.ts';
import { ChatCompletionsModel } from '../../src/model/chat-completions.ts';
import { createProvider, type ProviderOptions } from '../../src/model/provider.ts';
import { TranscriptForms, type TranscriptForm } from '../../src/model/transcript-forms.ts';
import type { ModelFault } from '../../src/sandbox/control/protocol.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { silentLog } from '../support/silent-log.ts';
import { calm, failureOf, makeModel, startModelPeer, type ModelPeer } from './support/model-peer.ts';

const WORDS = 'The kettle is on.';
const DATED = '2025-03-01-preview';

let peer: ModelPeer;
let speech: Speech;

beforeAll(async () => {
  peer = await startModelPeer();
  const samples = await peer.synthesizer.synthesize(WORDS);
  speech = { format: 'wav', data: encodeWav(samples), durationMs: samples.length / 24 };
});

afterAll(() => peer[Symbol.asyncDispose]());

beforeEach(async () => {
  await peer.takeRequests();
});

/** What is written down, from its pieces, which must add up to the whole. */
async function transcriptOf(options: ProviderOptions, language?: string): Promise<string> {
  const { model, log } = makeModel(options);
  const events: TranscriptEvent[] = [];
  for await (const event of model.transcribe(speech, { language }, calm)) events.push(event);
  const done = events.pop();
  if (done?.type !== 'done') throw new Error('no end');
  expect(events.map((event) => (event.type === 'text' ? event.delta : '?')).join('')).toBe(done.text);
  expect(log.at('info')).toHaveLength(1);
  expect(JSON.stringify(log.lines)).not.toContain('kettle');
  return done.text;
}

describe('with a transcription model', () => {
  const transcribeModel = 'gpt-4o-transcribe';

  test.each<[string, string, () => ProviderOptions]>([
    [
      'dated Azure',
      `/openai/deployments/${transcribeModel}/audio/transcriptions?api-version=${DATED}`,
      () => peer.azure({ apiVersion: DATED, transcribeModel }),
    ],
    ['Azure v1', '/openai/v1/audio/transcriptions', () => peer.azure({ transcribeModel })],
    [
      'a compatible server',
      '/v1/audio/transcriptions',
      () => ({
        kind: 'compatible',
        baseUrl: `${peer.service.url}/v1`,
        apiKey: peer.service.apiKey,
        model: 'gpt-audio',
        transcribeModel,
      }),
    ],
  ])('%s', async (_, path, options) => {
    expect(await transcriptOf(options(), 'en')).toBe(WORDS);
    const [request, ...more] = await peer.takeRequests();
    expect(more).toEqual([]);
    expect(request).toMatchObject({ path, endpoint: 'transcription', body: { language: 'en' } });
    expect(Buffer.from(request?.audio[0]?.wav ?? '', 'base64').equals(Buffer.from(speech.data))).toBe(true);
  });

  test.each<[string, TranscriptForm, boolean]>([
    ['whisper', 'verbose_json', true],
    ['gpt-4o-transcribe-diarize', 'diarized_json', true],
    ['gpt-4o-mini-transcribe', 'json', false],
  ])('%s is asked for %s', async (name, form, isTimed) => {
    const { model } = makeModel(peer.azure({ transcribeModel: name }));
    const done = (await Array.fromAsync(model.transcribe(speech, { language: undefined }, calm))).at(-1);
    if (done?.type !== 'done') throw new Error('no end');
    expect(done.text).toBe(WORDS);
    const times = { startMs: 0, endMs: expect.closeTo(speech.durationMs, -1), text: WORDS };
    expect(done.passages).toEqual(isTimed ? [times] : undefined);
    const requests = await peer.takeRequests();
    expect(requests.map(({ body }) => body)).toEqual([expect.objectContaining({ response_format: form })]);
  });

  test('a server that refuses times is asked for words alone, and for nothing else after', async () => {
    const provider = createProvider(peer.azure({ transcribeModel }), { clock: monotonicClock, log: silentLog });
    // As if the deployment had a name that says nothing.
    const transcription = { model: transcribeModel, forms: new TranscriptForms('ears') };
    const model = new ChatCompletionsModel({
      provider: { ...provider, transcription },
      clock: monotonicClock,
      log: silentLog,
    });
    for (const times of [2, 1]) {
      const events = await Array.fromAsync(model.transcribe(speech, { language: undefined }, calm));
      expect(events.at(-1)).toEqual({ type: 'done', text: WORDS });
      expect(await peer.takeRequests()).toHaveLength(times);
    }
  });

  test.each<[string, number, ModelFault]>([
    ['malformed', 2, { kind: 'html' }],
    ['malformed', 2, { kind: 'bad-json' }],
    ['server-fault', 2, { kind: 'status', status: 500 }],
    ['unreachable', 2, { kind: 'cut', afterChunks: 'headers' }],
    ['truncated', 2, { kind: 'cut', afterChunks: 0 }],
    ['timeout', 1, { kind: 'stall', afterChunks: 'headers' }],
    ['no-deployment', 1, { kind: 'status', status: 404 }],
    ['wrong-key', 1, { kind: 'status', status: 401 }],
  ])('%s, tried %i times: %j', async (kind, times, fault) => {
    const { model, log } = makeModel(peer.azure({ transcribeModel }), { deadlines: { totalMs: 900 } });
    await peer.service.methods.modelFault({ fault, times });
    expect(await failureOf(model.transcribe(speech, { language: undefined }, calm))).toMatchObject({ kind });
    expect(await peer.takeRequests()).toHaveLength(times);
    expect(log.at('warn')).toHaveLength(times);
  });

  test('one that does not exist is named by its own setting', async () => {
    const { model } = makeModel(peer.azure({ transcribeModel: 'nothing' }));
    const error = await failureOf(model.transcribe(speech, { language: undefined }, calm));
    expect(error).toMatchObject({
      kind: 'no-deployment',
      operatorHint: expect.stringMatching(/"nothing".*TRANSCRIBE_MODEL/),
    });
  });

  test('a file beyond what the endpoint takes is not sent', async () => {
    const { model } = makeModel(peer.azure({ transcribeModel }));
    const long: Speech = { format: 'mp3', data: new Uint8Array(26_214_401), durationMs: 1 };
    expect(await failureOf(model.transcribe(long, { language: undefined }, calm))).toMatchObject({ kind: 'too-large' });
    expect(await peer.takeRequests()).toEqual([]);
  });

  test('an abort ends it with its reason and closes the connection', async () => {
    const controller = new AbortController();
    const { model } = makeModel(peer.azure({ transcribeModel }));
    await peer.service.methods.modelFault({ fault: { kind: 'stall', afterChunks: 'headers' }, times: 1 });
    const asked = peer.next('model-request');
    const failure = failureOf(model.transcribe(speech, { language: undefined }, controller.signal));
    await asked;
    controller.abort('left');
    expect(await failure).toBe('left');
    expect(await peer.takeRequests()).toMatchObject([{ abandoned: true }]);
  });
});

describe('without one', () => {
  test('the conversation model writes down what it hears', async () => {
    expect(await transcriptOf(peer.azure(), 'en')).toBe(WORDS);
    const [request] = await peer.takeRequests();
    expect(request).toMatchObject({ endpoint: 'chat', body: { modalities: ['text'] } });
  });
});
