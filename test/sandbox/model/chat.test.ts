import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { MP3_DELAY_SAMPLES, Mp3Encoder } from '../../../src/audio/mp3.ts';
import { toFloat32, toInt16 } from '../../../src/audio/pcm.ts';
import { resample } from '../../../src/audio/resample.ts';
import { correlate } from '../../../src/audio/similarity.ts';
import { decodeWav } from '../../../src/audio/wav.ts';
import { decodeAudio } from '../../../src/sandbox/model/input-audio.ts';
import { Mp3Decoder } from '../../../src/sandbox/model/mp3-decoder.ts';
import { Synthesizer } from '../../../src/sandbox/speech.ts';
import { audioPart, hear, MODEL, plain, samplesOf, spoken, startModelWorld } from './model-world.ts';
import type { ModelWorld } from './model-world.ts';

const synthesizer = new Synthesizer();
let world: ModelWorld;
let alice: Int16Array;
let bob: Int16Array;

beforeAll(async () => {
  world = await startModelWorld(synthesizer);
  await world.server.methods.setModel({ firstAudioMs: 50, speed: 50 });
  alice = await synthesizer.synthesize('Hello Parley, can you hear me?', 'slt');
  bob = await synthesizer.synthesize('I like dragons.', 'rms');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await synthesizer[Symbol.asyncDispose]();
});

const STYLES = ['dated', 'azureV1', 'openai'] as const;
const wavSamples = (base64: string): Int16Array => toInt16(decodeWav(Buffer.from(base64, 'base64')).channels[0]!);

describe.each(STYLES)('through %s', (style) => {
  test('speech is answered with a spoken sentence and the speaker’s own voice, streamed', async () => {
    const content = [{ type: 'text', text: 'Alice:' } as const, audioPart(alice)];
    const heard = await hear(world.clients[style], spoken([{ role: 'user', content }]));
    const seconds = (alice.length / 24_000).toFixed(1);
    expect(heard.transcript).toBe(`I heard ${seconds} seconds from Alice.`);
    expect(heard.finish).toBe('stop');
    expect(correlate(alice, heard.samples).correlation).toBeGreaterThan(0.99);
    // The words are really spoken: the part before the echo is known by its sound.
    const { offsetSamples } = correlate(alice, heard.samples);
    expect(await synthesizer.recognize(heard.samples.subarray(0, offsetSamples))).toBe(heard.transcript);
  });

  test('the same in one piece', async () => {
    const content = [{ type: 'text', text: 'Alice:' } as const, audioPart(alice)];
    const completion = await world.clients[style].chat.completions.create(plain([{ role: 'user', content }]));
    const [choice] = completion.choices;
    expect(choice?.finish_reason).toBe('stop');
    expect(choice?.message.content).toBeNull();
    expect(choice?.message.audio?.transcript).toMatch(/^I heard \d\.\d seconds from Alice\.$/);
    expect(correlate(alice, wavSamples(choice?.message.audio?.data ?? '')).correlation).toBeGreaterThan(0.99);
  });
});

describe('the frames of a stream', () => {
  test('are Azure’s: the prompt’s filter first, then the reply’s name, words ahead of sound, expiry, finish, usage', async () => {
    const params = spoken([{ role: 'user', content: 'Hello there, my friend.' }], {
      stream_options: { include_usage: true },
    });
    const { chunks } = await hear(world.clients.dated, params);
    expect(chunks[0]).toMatchObject({ choices: [], prompt_filter_results: [{ prompt_index: 0 }] });
    expect(chunks[1]?.choices[0]?.delta).toMatchObject({
      role: 'assistant',
      audio: { id: expect.stringMatching(/^audio_/), expires_at: expect.any(Number) },
    });
    const kinds = chunks.slice(2).map((chunk) => {
      const [choice] = chunk.choices;
      if (choice === undefined) return 'usage';
      if (choice.finish_reason !== null) return 'finish';
      return Object.keys(choice.delta.audio ?? {}).join();
    });
    expect(kinds[0]).toBe('transcript');
    expect(kinds.filter((kind) => kind === 'data').length).toBeGreaterThan(3);
    expect(kinds.lastIndexOf('transcript')).toBeLessThan(kinds.lastIndexOf('data'));
    expect(kinds.slice(-3)).toEqual(['expires_at', 'finish', 'usage']);
  });

  test('are OpenAI’s behind its own address, without the filter', async () => {
    const { chunks } = await hear(world.clients.openai, spoken([{ role: 'user', content: 'Hello.' }]));
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(chunks.some((chunk) => 'prompt_filter_results' in chunk)).toBe(false);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
  });

  test('each hold the sound that is asked for, each with a base64 of its own', async () => {
    await using slow = await startModelWorld(synthesizer);
    await slow.server.methods.setModel({ firstAudioMs: 0, speed: 100, chunkMs: 100 });
    const { chunks } = await hear(slow.clients.azureV1, spoken([{ role: 'user', content: 'Hello.' }]));
    const sounds = chunks.flatMap(({ choices }) => choices[0]?.delta.audio?.data ?? []);
    expect(new Set(sounds.slice(0, -1).map((data) => samplesOf(data).length))).toEqual(new Set([2_400]));
  });

  test('come in time: the first sound when it is due, the rest at the set speed', async () => {
    await using timed = await startModelWorld(synthesizer);
    await timed.server.methods.setModel({ firstAudioMs: 100, chunkMs: 100, speed: 20 });
    const lateMs: { first: number; last: number }[] = [];
    for (let i = 0; i < 3; i++) {
      const { samples } = await hear(timed.clients.dated, spoken([{ role: 'user', content: [audioPart(bob)] }]));
      const record = await timed.lastRequest();
      expect(record.firstByteAtMs).toBeLessThan(record.firstAudioAtMs!);
      // The last chunk is due when all before it have been played at twenty times the speed.
      const lastDueMs = 100 + (Math.ceil(samples.length / 2_400 - 1) * 100) / 20;
      lateMs.push({
        first: record.firstAudioAtMs! - record.atMs - 100,
        last: record.endedAtMs! - record.atMs - lastDueMs,
      });
    }
    // Never early; a busy machine may make one of them late.
    expect(Math.min(...lateMs.flatMap(({ first, last }) => [first, last]))).toBeGreaterThan(-2);
    expect(Math.min(...lateMs.map(({ first }) => first))).toBeLessThan(50);
    expect(Math.min(...lateMs.map(({ last }) => last))).toBeLessThan(100);
  });

  test('begin with the first sentence, before the others have been made', async () => {
    await using long = await startModelWorld(synthesizer);
    const reply = Array.from({ length: 12 }, (_, i) => `Sentence ${i} is a rather long one that takes its time.`).join(
      ' ',
    );
    await long.server.methods.setModel({ firstAudioMs: 0, speed: 1_000, reply });
    expect((await hear(long.clients.openai, spoken([{ role: 'user', content: 'Talk.' }]))).transcript).toBe(reply);
    const record = await long.lastRequest();
    expect(record.firstAudioAtMs! - record.atMs).toBeLessThan((record.endedAtMs! - record.atMs) / 2);
  });
});

const ask = async (...messages: Parameters<typeof spoken>[0]) => await hear(world.clients.azureV1, spoken(messages));

describe('what is answered', () => {
  test('several speakers in their order, each with their own voice', async () => {
    const { transcript, samples } = await ask({
      role: 'user',
      content: [
        { type: 'text', text: 'Alice at 0.0 s:' },
        audioPart(alice),
        { type: 'text', text: 'Bob at 2.1 s:' },
        audioPart(bob),
      ],
    });
    expect(transcript).toMatch(/^I heard [\d.]+ seconds from Alice and [\d.]+ seconds from Bob\.$/);
    const [first, second] = [correlate(alice, samples), correlate(bob, samples)];
    expect(Math.min(first.correlation, second.correlation)).toBeGreaterThan(0.99);
    expect(second.offsetSamples).toBeGreaterThan(first.offsetSamples + alice.length);
  });

  test.each([
    ['[Alice]', 'from Alice'],
    ['Alice says:', 'from Alice'],
    ['Alice', 'from Alice'],
    ['What do you hear in this recording?', 'seconds'],
  ])('the label %j', async (label, expected) => {
    const { transcript } = await ask({ role: 'user', content: [{ type: 'text', text: label }, audioPart(bob)] });
    expect(transcript.split('.').slice(0, 2).join('.')).toMatch(new RegExp(`${expected}$`));
  });

  test('a written question is read back, and the words are exactly what is spoken', async () => {
    const { transcript, samples } = await ask({ role: 'user', content: 'Alice: What did I say first?' });
    expect(transcript).toBe('You wrote: What did I say first?');
    expect(await synthesizer.recognize(samples)).toBe(transcript);
  });

  test('words beside a recording are answered too', async () => {
    const { transcript } = await ask({
      role: 'user',
      content: [{ type: 'text', text: 'Alice: Please sum this up.' }, audioPart(bob)],
    });
    expect(transcript).toMatch(/^I heard [\d.]+ seconds from Alice\. You wrote: Please sum this up\.$/);
  });

  test('earlier turns are counted', async () => {
    const first = await ask({ role: 'user', content: 'One.' });
    const { transcript } = await ask(
      { role: 'user', content: 'One.' },
      { role: 'assistant', audio: { id: first.audioId! } },
      { role: 'user', content: 'Two.' },
    );
    expect(transcript).toBe('You wrote: Two. This is turn 2.');
  });

  test('of long recordings the beginnings, eight seconds in all', async () => {
    const minute = new Int16Array(60 * 24_000).map((_, i) => alice[i % alice.length]!);
    const { samples } = await ask({ role: 'user', content: [audioPart(minute), audioPart(minute)] });
    const sentence = await synthesizer.synthesize('I heard 60.0 seconds and 60.0 seconds.', 'kal');
    expect((samples.length - sentence.length) / 24_000).toBeCloseTo(8.3, 1);
  });

  test('sound at any rate is played back at the model’s own', async () => {
    const narrow = toInt16(resample(toFloat32(alice), 24_000, 8_000));
    const { samples } = await ask({ role: 'user', content: [audioPart(narrow, 8_000)] });
    expect(correlate(alice, samples).correlation).toBeGreaterThan(0.9);
  });

  test('an mp3 is heard', async () => {
    const encoder = (await Mp3Encoder.load())();
    const data = Buffer.concat([encoder.encode(alice), encoder.finish()]).toString('base64');
    const { samples } = await ask({
      role: 'user',
      content: [{ type: 'input_audio', input_audio: { format: 'mp3', data } }],
    });
    expect(correlate(alice, samples).correlation).toBeGreaterThan(0.98);
    const record = await world.lastRequest();
    expect(record.audio[0]?.format).toBe('mp3');
    const { offsetSamples } = correlate(alice, wavSamples(record.audio[0]?.wav ?? ''));
    expect(offsetSamples).toBeGreaterThanOrEqual(0);
    expect(offsetSamples).toBeLessThanOrEqual(MP3_DELAY_SAMPLES);
  });

  test('without audio when only text is asked for', async () => {
    const completion = await world.clients.dated.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Alice:' }, audioPart(bob)] }],
    });
    expect(completion.choices[0]?.message.content).toMatch(/^I heard [\d.]+ seconds from Alice\.$/);
    expect(completion.choices[0]?.message.audio).toBeUndefined();
  });

  test('a recording is written down when that is what is asked', async () => {
    const params = {
      model: MODEL,
      stream: true,
      messages: [
        { role: 'system', content: 'Write down word for word what is said.' },
        { role: 'user', content: [audioPart(alice)] },
      ],
    } satisfies Parameters<typeof hear>[1];
    expect((await hear(world.clients.openai, params)).text).toBe('Hello Parley, can you hear me?');
    const tone = Int16Array.from({ length: 36_000 }, (_, i) => 8_000 * Math.sin(i / 9));
    const messages = [
      params.messages[0]!,
      { role: 'user', content: [audioPart(tone)] },
    ] satisfies typeof params.messages;
    expect((await hear(world.clients.openai, { ...params, messages })).text).toBe('[1.5 seconds of speech]');
  });

  test('no more than the output limit, with only the words that were spoken', async () => {
    const messages = [
      { role: 'user' as const, content: 'one two three four five six seven eight nine ten eleven twelve' },
    ];
    const { samples, finish, transcript } = await hear(
      world.clients.azureV1,
      spoken(messages, { max_completion_tokens: 20 }),
    );
    expect(finish).toBe('length');
    expect(samples.length).toBe(24_000);
    expect(transcript).toMatch(/^You wrote: one/);
    expect(transcript).not.toContain('twelve');
  });

  test.each(['wav', 'mp3', 'pcm16'] as const)('in one piece as %s', async (format) => {
    const message = { role: 'user' as const, content: [audioPart(alice)] };
    const completion = await world.clients.azureV1.chat.completions.create(
      plain([message], { audio: { voice: 'coral', format } }),
    );
    const data = completion.choices[0]?.message.audio?.data ?? '';
    await using mp3 = new Mp3Decoder();
    const samples = format === 'pcm16' ? samplesOf(data) : await decodeAudio(Buffer.from(data, 'base64'), format, mp3);
    expect(correlate(alice, samples ?? new Int16Array(0)).correlation).toBeGreaterThan(0.98);
  });
});

describe('what can be set', () => {
  test('words instead of the echo, and back', async () => {
    await using set = await startModelWorld(synthesizer);
    await set.server.methods.setModel({ firstAudioMs: 0, speed: 100, reply: 'The answer is forty two.' });
    const messages = [{ role: 'user' as const, content: [audioPart(alice)] }];
    const { transcript, samples } = await hear(set.clients.dated, spoken(messages));
    expect(transcript).toBe('The answer is forty two.');
    expect(await synthesizer.recognize(samples)).toBe(transcript);
    expect(correlate(alice, samples).correlation).toBeLessThan(0.5);
    await set.server.methods.setModel({ reply: null });
    expect((await hear(set.clients.dated, spoken(messages))).transcript).toMatch(/^I heard/);
  });

  test('silence before the sound, and answers without sound', async () => {
    await using set = await startModelWorld(synthesizer);
    await set.server.methods.setModel({ firstAudioMs: 0, speed: 100, leadingSilenceMs: 500 });
    const { samples } = await hear(set.clients.dated, spoken([{ role: 'user', content: 'Hello.' }]));
    expect(samples.subarray(0, 12_000).every((sample) => sample === 0)).toBe(true);
    await set.server.methods.setModel({ textOnly: true });
    const drifted = await hear(set.clients.dated, spoken([{ role: 'user', content: 'Hello.' }]));
    expect(drifted).toMatchObject({ text: 'You wrote: Hello.', transcript: '', audioId: undefined, finish: 'stop' });
    expect(drifted.samples).toHaveLength(0);
  });

  test('nothing that no reply could be sent with', async () => {
    await using set = await startModelWorld(synthesizer);
    for (const settings of [{ chunkMs: 0 }, { speed: 0 }, { speed: Number.NaN }, { firstAudioMs: -1 }]) {
      await expect(set.server.methods.setModel(settings)).rejects.toMatchObject({ name: 'Refusal' });
    }
  });
});

test('tokens: ten a second of what is heard, twenty of what is said', async () => {
  const params = spoken([{ role: 'user', content: [audioPart(alice)] }], { stream_options: { include_usage: true } });
  const { usage, samples } = await hear(world.clients.azureV1, params);
  expect(usage?.prompt_tokens_details?.audio_tokens).toBe(Math.ceil((alice.length / 24_000) * 10));
  expect(usage?.completion_tokens_details?.audio_tokens).toBe(Math.ceil((samples.length / 24_000) * 20));
  expect(usage?.prompt_tokens_details?.cached_tokens).toBe(0);
  expect(usage?.total_tokens).toBe(usage!.prompt_tokens + usage!.completion_tokens);
});
