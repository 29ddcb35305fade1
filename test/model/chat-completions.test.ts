import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { FRAME_SAMPLES } from '../../src/audio/frame.ts';
import { encodeWav } from '../../src/audio/wav.ts';
import type { Conversation, Speech } from '../../src/model/model.ts';
import {
  asking,
  calm,
  collect,
  failureOf,
  makeModel,
  samplesOf,
  spoken,
  startModelPeer,
  written,
  type ModelPeer,
} from './support/model-peer.ts';

const VOICE = { output: 'voice', voice: 'alloy' } as const;
const TEXT = { output: 'text', voice: 'alloy' } as const;

let peer: ModelPeer;
let speech: Speech;

beforeAll(async () => {
  peer = await startModelPeer();
  const samples = await peer.synthesizer.synthesize('The kettle is on.');
  speech = { format: 'wav', data: encodeWav(samples), durationMs: samples.length / 24 };
});

afterAll(() => peer[Symbol.asyncDispose]());

beforeEach(async () => {
  await peer.takeRequests();
});

/** A first turn that was answered, and a second question. */
async function secondTurn(): Promise<{ conversation: Conversation; words: string; id: string | undefined }> {
  const { model } = makeModel(peer.azure());
  const first = await collect(model.respond(asking('First.'), VOICE, calm));
  await peer.takeRequests();
  const answer = { role: 'assistant', text: first.transcript, audio: first.done.audio } as const;
  return {
    conversation: { instructions: '', messages: [written('First.'), answer, written('Second.')] },
    words: first.transcript,
    id: first.done.audio?.id,
  };
}

describe('a spoken reply', () => {
  test('is the sound and the words that the model sent, in whole frames', async () => {
    const { model } = makeModel(peer.azure());
    const conversation = { instructions: 'Be brief.', messages: [spoken(speech)] };
    const reply = await collect(model.respond(conversation, VOICE, calm));

    const [request] = await peer.takeRequests();
    const sent = samplesOf(request?.reply?.wav);
    expect(sent.length).toBeGreaterThan(24_000);
    expect(reply.frames.every((frame) => frame.length === FRAME_SAMPLES)).toBe(true);
    expect(reply.samples.length - sent.length).toBeLessThan(FRAME_SAMPLES);
    expect(Buffer.from(reply.samples.buffer, 0, sent.byteLength).equals(Buffer.from(sent.buffer))).toBe(true);
    expect(reply.samples.subarray(sent.length).every((sample) => sample === 0)).toBe(true);
    expect(reply.transcript).toBe(request?.reply?.text);
    expect(reply.transcript).toContain('Alice');
    expect(reply.text).toBe('');
    expect(reply.done).toMatchObject({ finish: 'stop', audio: { id: request?.reply?.audioId } });
    expect(reply.done.audio?.expiresAtMs).toBeGreaterThan(Date.now() + 3_500_000);
    expect(reply.done.usage?.inputAudioTokens).toBeGreaterThan(0);
    expect(reply.done.usage?.outputAudioTokens).toBeGreaterThan(0);

    const heard = request?.audio[0];
    expect(heard?.format).toBe('wav');
    expect(Buffer.from(heard?.wav ?? '', 'base64').equals(Buffer.from(speech.data))).toBe(true);
  });

  test('comes through unharmed when chunks end inside samples', async () => {
    const { model } = makeModel(peer.azure());
    await peer.service.methods.modelFault({ fault: { kind: 'odd-bytes' }, times: 1 });
    const reply = await collect(model.respond(asking('Odd bytes.'), VOICE, calm));
    const [request] = await peer.takeRequests();
    const sent = samplesOf(request?.reply?.wav);
    expect(Buffer.from(reply.samples.buffer, 0, sent.byteLength).equals(Buffer.from(sent.buffer))).toBe(true);
  });

  test('that comes in writing only, as these models sometimes do, is text', async () => {
    const { model } = makeModel(peer.azure());
    await peer.service.methods.setModel({ textOnly: true });
    const reply = await collect(model.respond(asking('Hello.'), VOICE, calm));
    await peer.service.methods.setModel({ textOnly: false });
    expect(reply.text).toContain('Hello');
    expect(reply.frames).toEqual([]);
    expect(reply.done).toMatchObject({ finish: 'stop', audio: undefined });
  });
});

describe('a written reply', () => {
  test('to speech asks for no sound', async () => {
    const { model } = makeModel(peer.azure());
    const reply = await collect(model.respond({ instructions: '', messages: [spoken(speech)] }, TEXT, calm));
    expect(reply.text).toContain('Alice');
    expect(reply.frames).toEqual([]);
    const [request] = await peer.takeRequests();
    expect(request?.body).toMatchObject({ modalities: ['text'] });
  });

  test('to writing asks for sound, because it must, and drops it', async () => {
    const { model } = makeModel(peer.azure());
    const reply = await collect(model.respond(asking('Good morning.'), TEXT, calm));
    expect(reply.transcript).toContain('Good morning');
    expect(reply.frames).toEqual([]);
    const [request] = await peer.takeRequests();
    expect(request).toMatchObject({ status: 200, body: { modalities: ['text', 'audio'] } });
  });
});

describe('later turns', () => {
  test('refer to the spoken reply by its id', async () => {
    const { conversation, id } = await secondTurn();
    const { model } = makeModel(peer.azure());
    const reply = await collect(model.respond(conversation, VOICE, calm));
    expect(reply.transcript).toContain('turn 2');
    const [request] = await peer.takeRequests();
    expect(request?.body).toMatchObject({ messages: [{}, { role: 'assistant', audio: { id } }, {}] });
  });

  test('say the words instead once its time is nearly up', async () => {
    const { conversation, words } = await secondTurn();
    const { model } = makeModel(peer.azure(), { wallClockMs: () => Date.now() + 3_600_000 });
    await collect(model.respond(conversation, VOICE, calm));
    const requests = await peer.takeRequests();
    expect(requests).toHaveLength(1);
    expect(requests[0]?.body).toMatchObject({ messages: [{}, { role: 'assistant', content: words }, {}] });
  });

  test('go on without a word when the server has forgotten the reply early', async () => {
    const { conversation, words } = await secondTurn();
    await peer.service.methods.expireAudio({});
    const { model } = makeModel(peer.azure());
    const reply = await collect(model.respond(conversation, VOICE, calm));
    expect(reply.transcript).toContain('turn 2');
    const requests = await peer.takeRequests();
    expect(requests.map(({ status }) => status)).toEqual([400, 200]);
    expect(requests[1]?.body).toMatchObject({ messages: [{}, { role: 'assistant', content: words }, {}] });
  });
});

describe('the log', () => {
  test('has one line a request: ids, counts and durations, nothing that was said', async () => {
    const { model, log } = makeModel(peer.azure());
    const conversation = { instructions: 'Answer like a pirate.', messages: [written('Zanzibar.')] };
    const reply = await collect(model.respond(conversation, VOICE, calm));
    expect(log.at('warn')).toEqual([]);
    const [line, ...more] = log.at('info');
    expect(more).toEqual([]);
    expect(line?.fields).toMatchObject({
      outcome: 'answered',
      requestId: expect.any(String),
      headersMs: expect.any(Number),
      firstEventMs: expect.any(Number),
      firstAudioMs: expect.any(Number),
      totalMs: expect.any(Number),
      audioInBytes: 0,
      finish: 'stop',
      outputTokens: reply.done.usage?.outputTokens,
    });
    const all = JSON.stringify(log.lines);
    for (const secret of ['Zanzibar', 'pirate', peer.service.apiKey]) expect(all).not.toContain(secret);
  });
});

describe('a model that may decline', () => {
  afterEach(() => peer.service.methods.setModel({ declines: false }));

  test('says nothing, and that it did so on purpose', async () => {
    await peer.service.methods.setModel({ declines: true });
    const { model } = makeModel(peer.azure());
    const reply = await collect(model.respond(asking('Bob, are you coming?'), { ...VOICE, mayDecline: true }, calm));
    expect(reply).toMatchObject({ transcript: '', text: '', frames: [], done: { finish: 'declined' } });
    expect(reply.done.usage?.inputTokens).toBeGreaterThan(0);
  });

  test('is not asked to where it may not', async () => {
    await peer.service.methods.setModel({ declines: true });
    const { model } = makeModel(peer.azure());
    const reply = await collect(model.respond(asking('Are you coming?'), VOICE, calm));
    expect(reply.done.finish).toBe('stop');
    expect(reply.transcript).not.toBe('');
  });

  test('answers all the same where tools are refused, and is asked without them from then on', async () => {
    await peer.service.methods.modelFault({ fault: { kind: 'status', status: 400 }, times: 1 });
    const { model } = makeModel(peer.azure());
    for (const prompt of ['First.', 'Second.']) {
      const reply = await collect(model.respond(asking(prompt), { ...VOICE, mayDecline: true }, calm));
      expect(reply.done.finish).toBe('stop');
    }
    expect((await peer.takeRequests()).map(({ status }) => status)).toEqual([400, 200, 200]);
  });

  test('may do so again after a request that was refused without tools, too', async () => {
    await peer.service.methods.modelFault({ fault: { kind: 'status', status: 400 }, times: 2 });
    const { model } = makeModel(peer.azure());
    await failureOf(model.respond(asking('Are you coming?'), { ...VOICE, mayDecline: true }, calm));
    await peer.service.methods.setModel({ declines: true });
    const reply = await collect(model.respond(asking('Bob, are you coming?'), { ...VOICE, mayDecline: true }, calm));
    expect(reply.done.finish).toBe('declined');
    expect((await peer.takeRequests()).map(({ status }) => status)).toEqual([400, 400, 200]);
  });
});
