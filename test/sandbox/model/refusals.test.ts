import { BadRequestError } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Synthesizer } from '../../../src/sandbox/speech.ts';
import { API_VERSION, audioPart, hear, MODEL, spoken, startModelWorld } from './model-world.ts';
import type { ModelWorld } from './model-world.ts';

const synthesizer = new Synthesizer();
let world: ModelWorld;

beforeAll(async () => {
  world = await startModelWorld(synthesizer);
  await world.server.methods.setModel({ firstAudioMs: 0, speed: 100 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await synthesizer[Symbol.asyncDispose]();
});

const sound = audioPart(new Int16Array(24_000).fill(1_000));
const user = { role: 'user', content: [sound] };
const voice = { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'pcm16' } };

async function post(body: unknown): Promise<{ status: number; error: unknown; headers: Headers }> {
  const response = await fetch(
    `${world.server.url}/openai/deployments/${MODEL}/chat/completions?api-version=${API_VERSION}`,
    {
      method: 'POST',
      headers: { 'api-key': world.server.apiKey, 'content-type': 'application/json' },
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    },
  );
  const { error } = Object(await response.json());
  return { status: response.status, error, headers: response.headers };
}

const refusal = (message: string, param: string | null, code: string | null) => ({
  message,
  type: 'invalid_request_error',
  param,
  code,
});

test.each([
  [
    'stream with another format than pcm16',
    { ...voice, stream: true, audio: { voice: 'alloy', format: 'wav' }, messages: [user] },
    refusal(
      "Unsupported value: 'audio.format' does not support 'wav' when stream=true. Supported values are: 'pcm16'.",
      'audio.format',
      'unsupported_value',
    ),
  ],
  [
    'audio neither in nor out',
    { messages: [{ role: 'user', content: 'Hello' }] },
    refusal(
      'This model requires that either input content or output modality contain audio.',
      'model',
      'invalid_value',
    ),
  ],
  [
    'a reply named that was never given',
    { ...voice, messages: [user, { role: 'assistant', audio: { id: 'audio_1' } }, user] },
    refusal('Assistant audio audio_1 not found.', 'content.messages[1].audio.id', 'audio_not_found'),
  ],
  [
    'a file that is no WAV',
    {
      messages: [
        { role: 'user', content: [{ type: 'input_audio', input_audio: { format: 'wav', data: 'AAAAAAAA' } }] },
      ],
    },
    refusal('This model does not support the format you provided.', 'messages', 'unsupported_format'),
  ],
  [
    'a WAV that is said to be mp3',
    { messages: [{ role: 'user', content: [{ ...sound, input_audio: { ...sound.input_audio, format: 'mp3' } }] }] },
    refusal('This model does not support the format you provided.', 'messages', 'unsupported_format'),
  ],
  [
    'input in ogg',
    { messages: [{ role: 'user', content: [{ ...sound, input_audio: { ...sound.input_audio, format: 'ogg' } }] }] },
    refusal(
      "Invalid value: 'ogg'. Supported values are: 'wav' and 'mp3'.",
      'messages[0].content[0].input_audio.format',
      'invalid_value',
    ),
  ],
  [
    'base64 that is none',
    { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { format: 'wav', data: 'UklG*' } }] }] },
    refusal(
      "Invalid 'messages[0].content[0].input_audio.data': the string is not valid base64.",
      'messages[0].content[0].input_audio.data',
      'invalid_base64',
    ),
  ],
  [
    'audio asked for without saying how',
    { modalities: ['text', 'audio'], messages: [user] },
    refusal("Missing required parameter: 'audio'.", 'audio', 'missing_required_parameter'),
  ],
  [
    'a voice that does not exist',
    { ...voice, audio: { voice: 'bob', format: 'wav' }, messages: [user] },
    refusal(
      "Invalid value: 'bob'. Supported values are: 'alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', 'verse', 'marin', and 'cedar'.",
      'audio.voice',
      'invalid_value',
    ),
  ],
  [
    'no message',
    { ...voice, messages: [] },
    refusal(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'messages',
      'empty_array',
    ),
  ],
  [
    'no messages at all',
    voice,
    refusal("Missing required parameter: 'messages'.", 'messages', 'missing_required_parameter'),
  ],
  [
    'a part of an unknown type',
    { messages: [{ role: 'user', content: [{ type: 'speech', text: 'x' }] }] },
    refusal(
      "Invalid value: 'speech'. Supported values are: 'text' and 'input_audio'.",
      'messages[0].content[0].type',
      'invalid_value',
    ),
  ],
  [
    'a part without its text',
    { messages: [{ role: 'user', content: [sound, { type: 'text' }] }] },
    refusal(
      "Missing required parameter: 'messages[0].content[1].text'.",
      'messages[0].content[1].text',
      'missing_required_parameter',
    ),
  ],
  [
    'a role that does not exist',
    { messages: [{ role: 'bot', content: 'x' }] },
    refusal(
      "Invalid value: 'bot'. Supported values are: 'system', 'developer', 'assistant', 'user', and 'tool'.",
      'messages[0].role',
      'invalid_value',
    ),
  ],
  [
    'a temperature beyond its range',
    { ...voice, temperature: 3, messages: [user] },
    refusal(
      "Invalid 'temperature': number above maximum value. Expected a value <= 2, but got 3 instead.",
      'temperature',
      'decimal_above_max_value',
    ),
  ],
  [
    'a key that it does not know',
    { messages: [user], voice: 'alloy' },
    refusal('Unrecognized request argument supplied: voice', null, null),
  ],
  [
    'usage asked for without a stream',
    { messages: [user], stream_options: { include_usage: true } },
    refusal("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options', null),
  ],
])('refuses %s', async (_, body, error) => {
  expect(await post(body)).toMatchObject({ status: 400, error });
});

test('refuses a recording over 20 MB, and records it', async () => {
  const data = Buffer.alloc(15_000_003).toString('base64');
  const answer = await post({
    messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { format: 'wav', data } }] }],
  });
  expect(answer).toMatchObject({ status: 400, error: { code: 'string_above_max_length' } });
  expect((await world.lastRequest()).audio[0]?.bytes).toBe(15_000_003);
});

test('refuses a body that is no JSON, and one that is too large to be read', async () => {
  expect(await post('{"messages":')).toMatchObject({ status: 400, error: { type: 'invalid_request_error' } });
  expect(await post(new Uint8Array(49 * 1024 * 1024))).toMatchObject({ status: 413 });
});

test('every refusal carries the ids by which it can be asked after', async () => {
  const { headers } = await post({ messages: [] });
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers.get('apim-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers.get('x-ratelimit-remaining-tokens')).not.toBeNull();
});

const params = (id: string) =>
  spoken([
    { role: 'user', content: 'One.' },
    { role: 'assistant', audio: { id } },
    { role: 'user', content: 'Two.' },
  ]);

describe('the names of spoken replies', () => {
  test('are known until they expire', async () => {
    await using short = await startModelWorld(synthesizer);
    await short.server.methods.setModel({ firstAudioMs: 0, speed: 100, audioLifeMs: 3_600_000 });
    const first = await hear(short.clients.dated, spoken([{ role: 'user', content: 'One.' }]));
    const expiry = first.chunks.flatMap(({ choices }) => choices[0]?.delta.audio?.expires_at ?? []).at(-1);
    expect(expiry! * 1000 - Date.now()).toBeGreaterThan(3_500_000);
    expect((await hear(short.clients.dated, params(first.audioId!))).transcript).toContain('turn 2');

    await short.server.methods.expireAudio({});
    const refused = await hear(short.clients.dated, params(first.audioId!)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(BadRequestError);
    expect(refused).toMatchObject({ status: 400, code: 'audio_not_found', param: 'content.messages[1].audio.id' });
  });

  test('expire by themselves after their life', async () => {
    await using short = await startModelWorld(synthesizer);
    await short.server.methods.setModel({ firstAudioMs: 0, speed: 100, audioLifeMs: 0 });
    const { audioId } = await hear(short.clients.dated, spoken([{ role: 'user', content: 'One.' }]));
    await expect(hear(short.clients.dated, params(audioId!))).rejects.toMatchObject({ code: 'audio_not_found' });
  });
});
