import { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Mp3Encoder } from '../../../src/audio/mp3.ts';
import { concatSamples } from '../../../src/audio/pcm.ts';
import { encodeWav } from '../../../src/audio/wav.ts';
import { Synthesizer } from '../../../src/sandbox/speech.ts';
import { startModelWorld } from './model-world.ts';
import type { ModelWorld } from './model-world.ts';

const synthesizer = new Synthesizer();
const WORDS = 'The library closes at six. Bring your books back.';
let world: ModelWorld;
let speech: Int16Array;

beforeAll(async () => {
  world = await startModelWorld(synthesizer);
  await world.server.methods.setModel({ firstAudioMs: 0 });
  speech = await synthesizer.synthesize(WORDS, 'awb');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await synthesizer[Symbol.asyncDispose]();
});

const wav = (samples: Int16Array) => toFile(encodeWav(samples), 'speech.wav', { type: 'audio/wav' });

test.each(['dated', 'azureV1', 'openai'] as const)(
  'speech that the sandbox made is written down, through %s',
  async (style) => {
    const silence = new Int16Array(12_000);
    const file = await wav(concatSamples([silence, speech, silence]));
    const { text } = await world.clients[style].audio.transcriptions.create({ model: 'gpt-4o-transcribe', file });
    expect(text).toBe(WORDS);
    const record = await world.lastRequest();
    expect(record).toMatchObject({
      endpoint: 'transcription',
      auth: 'key',
      status: 200,
      reply: { text: WORDS },
      audio: [{ format: 'wav', bytes: 44 + 2 * (speech.length + 24_000) }],
    });
  },
);

test('of mp3 too', async () => {
  const encoder = (await Mp3Encoder.load())();
  const file = await toFile(Buffer.concat([encoder.encode(speech), encoder.finish()]), 'speech.mp3');
  expect((await world.clients.dated.audio.transcriptions.create({ model: 'whisper', file })).text).toBe(WORDS);
});

test('of other sound its length is told', async () => {
  const file = await wav(Int16Array.from({ length: 60_000 }, (_, i) => 9_000 * Math.sin(i / 7)));
  const { text } = await world.clients.dated.audio.transcriptions.create({ model: 'gpt-4o-transcribe', file });
  expect(text).toBe('[2.5 seconds of speech]');
});

test('as a stream of words', async () => {
  const stream = await world.clients.openai.audio.transcriptions.create({
    model: 'gpt-4o-mini-transcribe',
    file: await wav(speech),
    stream: true,
  });
  const events = await Array.fromAsync(stream);
  expect(
    events
      .slice(0, -1)
      .map((event) => ('delta' in event ? event.delta : ''))
      .join(''),
  ).toBe(WORDS);
  expect(events.at(-1)).toMatchObject({ type: 'transcript.text.done', text: WORDS });
});

const ask = async (model: string, more: Record<string, string>): Promise<Response> => {
  const form = new FormData();
  form.set('file', new Blob([Uint8Array.from(encodeWav(speech))]), 'speech.wav');
  for (const [name, value] of Object.entries({ model, ...more })) form.append(name, value);
  return await fetch(`${world.server.url}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.server.apiKey}` },
    body: form,
  });
};

describe('formats', () => {
  test('whisper has subtitles, in which every sentence has its time', async () => {
    expect(await (await ask('whisper-1', { response_format: 'text' })).text()).toBe(`${WORDS}\n`);
    const srt = await (await ask('whisper-1', { response_format: 'srt' })).text();
    expect(srt).toMatch(/^1\n00:00:00,000 --> 00:00:0\d,\d{3}\nThe library closes at six\.\n\n2\n00:00:0/);
    const vtt = await (await ask('whisper-1', { response_format: 'vtt' })).text();
    expect(vtt).toMatch(/^WEBVTT\n\n00:00:00\.000 --> 00:00:0\d\.\d{3}\n/);
  });

  test('whisper has details, with the times of words on request', async () => {
    const response = await ask('whisper-1', { response_format: 'verbose_json', 'timestamp_granularities[]': 'word' });
    const details = Object(await response.json());
    expect(details).toMatchObject({ text: WORDS, segments: [{ start: 0 }, { text: 'Bring your books back.' }] });
    expect(details.segments[1].end).toBeCloseTo(speech.length / 24_000, 2);
    expect(details.words).toHaveLength(9);
  });

  test('who speaks is told by the model for it, if asked as it wants to be', async () => {
    const more = { response_format: 'diarized_json' };
    const refused = await ask('gpt-4o-transcribe-diarize', more);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { message: 'chunking_strategy is required for diarization models' },
    });
    const answer = await ask('gpt-4o-transcribe-diarize', { ...more, chunking_strategy: 'auto' });
    expect(await answer.json()).toMatchObject({ text: WORDS, segments: [{ speaker: 'A' }, { speaker: 'A' }] });
  });

  test('what a model does not have is refused', async () => {
    for (const [model, more] of [
      ['gpt-4o-transcribe', { response_format: 'verbose_json' }],
      ['gpt-4o-transcribe', { response_format: 'srt' }],
      ['whisper-1', { response_format: 'json', 'timestamp_granularities[]': 'word' }],
    ] as const) {
      const response = await ask(model, more);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        error: { type: 'invalid_request_error', code: 'unsupported_value' },
      });
    }
  });
});

const transcribe = async (file: Awaited<ReturnType<typeof toFile>>) =>
  await world.clients.dated.audio.transcriptions.create({ model: 'gpt-4o-transcribe', file });

describe('refusals', () => {
  test('a clip that is too short', async () => {
    await expect(transcribe(await wav(new Int16Array(2_000)))).rejects.toMatchObject({
      status: 400,
      code: 'audio_too_short',
      param: 'file',
      message: expect.stringContaining('Audio file is too short. Minimum audio length is 0.1 seconds.'),
    });
  });

  test('a file that is no sound', async () => {
    await expect(transcribe(await toFile(Buffer.from('hello'), 'speech.wav'))).rejects.toMatchObject({
      status: 400,
      code: 'invalid_value',
    });
  });

  test('a file that is too large', async () => {
    await expect(transcribe(await toFile(Buffer.alloc(26_214_401), 'speech.wav'))).rejects.toMatchObject({
      status: 413,
      message: expect.stringContaining('Maximum content size limit (26214400) exceeded'),
    });
  });

  test('no file, no form, another kind of model', async () => {
    const headers = { authorization: `Bearer ${world.server.apiKey}` };
    const url = `${world.server.url}/v1/audio/transcriptions`;
    const form = new FormData();
    form.set('model', 'whisper-1');
    expect((await fetch(url, { method: 'POST', headers, body: form })).status).toBe(400);
    expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(400);
    form.set('model', 'gpt-audio');
    expect((await fetch(url, { method: 'POST', headers, body: form })).status).toBe(400);
  });
});

describe('faults', () => {
  const { clients, server } = { clients: () => world.clients, server: () => world.server };
  const stream = async () =>
    await Array.fromAsync(
      await clients().openai.audio.transcriptions.create({
        model: 'gpt-4o-transcribe',
        file: await wav(speech),
        stream: true,
      }),
    );
  const plainly = async () =>
    await clients().openai.audio.transcriptions.create({ model: 'gpt-4o-transcribe', file: await wav(speech) });

  test('statuses and broken answers', async () => {
    const { methods } = server();
    await methods.modelFault({ fault: { kind: 'status', status: 503 }, times: 1, endpoint: 'transcription' });
    await expect(plainly()).rejects.toMatchObject({ status: 503 });
    await methods.modelFault({ fault: { kind: 'bad-json' }, times: 1, endpoint: 'transcription' });
    await expect(plainly()).rejects.toMatchObject({ name: 'SyntaxError' });
    await methods.modelFault({ fault: { kind: 'cut', afterChunks: 1 }, times: 1, endpoint: 'transcription' });
    await expect(plainly()).rejects.toBeInstanceOf(Error);
    expect((await plainly()).text).toBe(WORDS);
  });

  test('streams that do not end as they should', async () => {
    const { methods } = server();
    await methods.modelFault({ fault: { kind: 'no-end-marker', afterChunks: 3 }, times: 1, endpoint: 'transcription' });
    expect(await stream()).toHaveLength(3);
    await methods.modelFault({ fault: { kind: 'cut', afterChunks: 2 }, times: 1, endpoint: 'transcription' });
    await expect(stream()).rejects.toBeInstanceOf(Error);
    await methods.modelFault({
      fault: { kind: 'error-in-stream', afterChunks: 2 },
      times: 1,
      endpoint: 'transcription',
    });
    await expect(stream()).rejects.toMatchObject({ code: 'server_error' });
  });
});
