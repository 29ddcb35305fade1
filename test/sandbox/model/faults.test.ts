import { APIError, OpenAI } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { ModelFault } from '../../../src/sandbox/control/protocol.ts';
import { Synthesizer } from '../../../src/sandbox/speech.ts';
import { audioPart, hear, plain, samplesOf, spoken, startModelWorld, told } from './model-world.ts';
import type { Chunk, Heard, ModelWorld } from './model-world.ts';

const synthesizer = new Synthesizer();
let world: ModelWorld;

beforeAll(async () => {
  world = await startModelWorld(synthesizer);
  await world.server.methods.setModel({ firstAudioMs: 0, speed: 200, chunkMs: 100 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await synthesizer[Symbol.asyncDispose]();
});

const question = [{ role: 'user' as const, content: 'Hello there, how are you today?' }];
const plan = (fault: ModelFault, times = 1): Promise<void> =>
  world.server.methods.modelFault({ fault, times, endpoint: 'chat' });

/** Reads a stream until it ends or breaks. */
async function hearUntilItEnds(client = world.clients.dated): Promise<Heard & { error: unknown }> {
  const chunks: Chunk[] = [];
  try {
    for await (const chunk of await client.chat.completions.create(spoken(question))) chunks.push(chunk);
    return { ...told(chunks), error: undefined };
  } catch (error) {
    return { ...told(chunks), error };
  }
}

const soundsIn = ({ chunks }: Heard): number =>
  chunks.filter(({ choices }) => choices[0]?.delta.audio?.data !== undefined).length;

let whole: Heard;
beforeEach(async () => {
  whole ??= await hear(world.clients.dated, spoken(question));
});

describe('statuses', () => {
  test.each([400, 401, 403, 404, 408, 410, 500, 502, 503] as const)('%d', async (status) => {
    await plan({ kind: 'status', status });
    const { error } = await hearUntilItEnds();
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status });
    expect((await world.lastRequest()).status).toBe(status);
    expect((await hearUntilItEnds()).error).toBeUndefined();
  });

  test('429 of Azure: the string for a code, its own id only, and when to come back', async () => {
    await plan({ kind: 'status', status: 429, retryAfterSecs: 7 });
    const { error } = await hearUntilItEnds();
    expect(error).toMatchObject({ status: 429, code: '429' });
    if (!(error instanceof APIError)) throw error;
    expect(error.headers?.get('retry-after')).toBe('7');
    expect(error.headers?.get('retry-after-ms')).toBe('7000');
    expect(error.headers?.get('apim-request-id')).not.toBeNull();
    expect(error.requestID ?? null).toBeNull();
  });

  test('429 of OpenAI', async () => {
    await plan({ kind: 'status', status: 429 });
    const { error } = await hearUntilItEnds(world.clients.openai);
    expect(error).toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
      requestID: expect.stringMatching(/^req_/),
    });
  });
});

describe('what becomes of a stream', () => {
  test('it comes late', async () => {
    await plan({ kind: 'delay', ms: 200 });
    expect((await hearUntilItEnds()).error).toBeUndefined();
    const record = await world.lastRequest();
    expect(record.firstByteAtMs! - record.atMs).toBeGreaterThan(198);
    expect(record.firstAudioAtMs! - record.atMs).toBeLessThan(400);
  });

  test.each([
    ['headers', 0],
    [2, 2],
  ] as const)('it stalls after %s, until the client gives up', async (afterChunks, sounds) => {
    await plan({ kind: 'stall', afterChunks });
    const stop = new AbortController();
    const chunks: Chunk[] = [];
    const seen = world.seen('model-request', await nextRequestId());
    const reading = (async () => {
      const stream = await world.clients.dated.chat.completions.create(spoken(question), { signal: stop.signal });
      for await (const chunk of stream) {
        chunks.push(chunk);
        if (soundsIn(told(chunks)) === sounds && chunk.choices[0]?.delta.audio?.data !== undefined) stop.abort();
      }
    })();
    const { requestId } = Object(await seen);
    if (afterChunks === 'headers') stop.abort();
    // Before the headers the client throws, after them it just ends.
    await reading.catch((error: unknown) => expect(error).toBeInstanceOf(OpenAI.APIUserAbortError));
    await world.seen('model-ended', requestId);
    expect(soundsIn(told(chunks))).toBe(sounds);
    const record = await world.lastRequest();
    expect(record.abandoned).toBe(true);
    expect(record.firstByteAtMs === undefined).toBe(afterChunks === 'headers');
  });

  test.each([
    ['headers', 0],
    [0, 0],
    [3, 3],
    [10_000, 10_000],
  ] as const)('the connection is cut after %s', async (afterChunks, sounds) => {
    await plan({ kind: 'cut', afterChunks });
    const heard = await hearUntilItEnds();
    expect(heard.error).toBeInstanceOf(Error);
    expect(heard.finish).toBeUndefined();
    const record = await world.lastRequest();
    expect(record.abandoned).toBe(false);
    // What has been written: of that the client may lose what it had not yet read.
    const written = (Buffer.from(record.reply?.wav ?? '', 'base64').length - 44) / 2;
    expect(Math.max(0, written)).toBe(Math.min(sounds * 2_400, whole.samples.length));
    expect(soundsIn(heard)).toBeLessThanOrEqual(sounds);
  });

  test('it ends with neither finish nor [DONE]', async () => {
    await plan({ kind: 'no-end-marker', afterChunks: 2 });
    const heard = await hearUntilItEnds();
    expect(heard).toMatchObject({ error: undefined, finish: undefined });
    expect(soundsIn(heard)).toBe(2);
    const expiries = heard.chunks.filter(
      ({ choices }) => Object.keys(choices[0]?.delta.audio ?? {}).join() === 'expires_at',
    );
    expect(expiries).toHaveLength(0);
  });

  test('an error inside it', async () => {
    await plan({ kind: 'error-in-stream', afterChunks: 1 });
    const heard = await hearUntilItEnds();
    expect(heard.error).toBeInstanceOf(APIError);
    expect(heard.error).toMatchObject({ status: undefined, code: 'server_error' });
    expect(soundsIn(heard)).toBe(1);
  });

  test('half an event', async () => {
    await plan({ kind: 'bad-json' });
    expect((await hearUntilItEnds()).error).toBeInstanceOf(SyntaxError);
  });

  test('a page of HTML', async () => {
    await plan({ kind: 'html' });
    const { data, response } = await world.clients.dated.chat.completions.create(plain(question)).withResponse();
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(data).toContain('<html>');
  });

  test('no choices', async () => {
    await plan({ kind: 'no-choices' }, 2);
    expect((await hearUntilRaw()).every((event) => !event.includes('"choices"'))).toBe(true);
    const completion = await world.clients.dated.chat.completions.create(plain(question));
    expect(completion.choices).toBeUndefined();
  });

  test('base64 that is none', async () => {
    await plan({ kind: 'bad-base64' });
    const { chunks } = await hearUntilItEnds();
    const data = chunks.flatMap(({ choices }) => choices[0]?.delta.audio?.data ?? []);
    expect(data.every((piece) => !/^[A-Za-z0-9+/]*={0,2}$/.test(piece))).toBe(true);
  });

  test('samples split between chunks, whole in all', async () => {
    await plan({ kind: 'odd-bytes' });
    const { chunks } = await hearUntilItEnds();
    const pieces = chunks
      .flatMap(({ choices }) => choices[0]?.delta.audio?.data ?? [])
      .map((data) => Buffer.from(data, 'base64'));
    expect(pieces.slice(0, -1).every(({ length }) => length % 2 === 1)).toBe(true);
    expect(samplesOf(Buffer.concat(pieces).toString('base64'))).toEqual(whole.samples);
  });
});

describe('the content filter', () => {
  test('refuses the prompt', async () => {
    await plan({ kind: 'filter-prompt' });
    expect((await hearUntilItEnds()).error).toMatchObject({
      status: 400,
      code: 'content_filter',
      error: {
        innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: { jailbreak: { filtered: true } } },
      },
    });
  });

  test('cuts the reply', async () => {
    await plan({ kind: 'filter-reply', afterChunks: 2 });
    const heard = await hearUntilItEnds();
    expect(heard.finish).toBe('content_filter');
    expect(soundsIn(heard)).toBe(2);
    await plan({ kind: 'filter-reply', afterChunks: 2 });
    const completion = await world.clients.dated.chat.completions.create(plain(question));
    expect(completion.choices[0]?.finish_reason).toBe('content_filter');
  });

  test('was down', async () => {
    await plan({ kind: 'filter-down' });
    const heard = await hearUntilItEnds();
    expect(heard.finish).toBe('stop');
    expect(heard.chunks.at(-1)?.choices[0]).toMatchObject({
      content_filter_results: { error: { code: 'content_filter_error', message: 'The contents are not filtered' } },
    });
  });
});

const ask = () => world.clients.dated.chat.completions.create(plain(question));

describe('answers in one piece', () => {
  test.each([
    [{ kind: 'bad-json' }, 'SyntaxError'],
    [{ kind: 'cut', afterChunks: 1 }, 'TypeError'],
    [{ kind: 'cut', afterChunks: 'headers' }, 'Error'],
    [{ kind: 'error-in-stream', afterChunks: 1 }, 'Error'],
  ] as const)('%j', async (fault, name) => {
    await plan(fault);
    await expect(ask()).rejects.toMatchObject({ name });
  });

  test('without a reason why they end, and with base64 that is none', async () => {
    await plan({ kind: 'no-end-marker', afterChunks: 1 });
    expect((await ask()).choices[0]?.finish_reason).toBeNull();
    await plan({ kind: 'bad-base64' });
    expect((await ask()).choices[0]?.message.audio?.data).toContain('*');
  });
});

describe('which requests fail', () => {
  test('as many as asked for, in the order of asking', async () => {
    await plan({ kind: 'status', status: 503 }, 2);
    await plan({ kind: 'status', status: 429 });
    const statuses: unknown[] = [];
    for (let i = 0; i < 4; i++) statuses.push(Object((await hearUntilItEnds()).error).status);
    expect(statuses).toEqual([503, 503, 429, undefined]);
  });

  test('a forgotten reply waits for a request that names one', async () => {
    await plan({ kind: 'audio-not-found' });
    const first = await hear(world.clients.dated, spoken(question));
    const history = [...question, { role: 'assistant' as const, audio: { id: first.audioId! } }, ...question];
    await expect(hear(world.clients.dated, spoken(history))).rejects.toMatchObject({
      code: 'audio_not_found',
      param: 'content.messages[1].audio.id',
    });
    expect((await hear(world.clients.dated, spoken(history))).finish).toBe('stop');
  });
});

test('a client that goes away stops the answer at once', async () => {
  await using live = await startModelWorld(synthesizer);
  await live.server.methods.setModel({ firstAudioMs: 0, speed: 1, chunkMs: 100 });
  const stop = new AbortController();
  const sound = audioPart(new Int16Array(8 * 24_000).fill(900));
  const stream = await live.clients.azureV1.chat.completions.create(spoken([{ role: 'user', content: [sound] }]), {
    signal: stop.signal,
  });
  const chunks: Chunk[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
    if (soundsIn(told(chunks)) === 3) stop.abort();
  }
  expect(await live.seen('model-ended')).toMatchObject({ abandoned: true });
  const record = await live.lastRequest();
  // Of some ten seconds only the beginning has left, and the reply may not be named later.
  expect(Buffer.from(record.reply?.wav ?? '', 'base64').length).toBeLessThan(4 * 48_000);
  const history = [
    ...question,
    { role: 'assistant' as const, audio: { id: record.reply?.audioId ?? '' } },
    ...question,
  ];
  await expect(hear(live.clients.azureV1, spoken(history))).rejects.toMatchObject({ code: 'audio_not_found' });
});

async function nextRequestId(): Promise<string> {
  return `request-${(await world.server.methods.modelRequests({})).length + 1}`;
}

async function hearUntilRaw(): Promise<string[]> {
  const response = await world.clients.dated.chat.completions.create(spoken(question)).asResponse();
  return (await response.text()).split('\n\n').filter((event) => event !== '');
}
