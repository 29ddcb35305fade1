import { setImmediate } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { ModelError, type ModelErrorKind } from '../../src/model/errors.ts';
import type { ReplyEvent } from '../../src/model/model.ts';
import type { ModelFault } from '../../src/sandbox/control/protocol.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { asking, calm, collect, failureOf, makeModel, startModelPeer, type ModelPeer } from './support/model-peer.ts';

const VOICE = { output: 'voice', voice: 'alloy' } as const;
const QUESTION = asking('Is it going to rain today, or can we have tea in the garden?');

let peer: ModelPeer;

beforeAll(async () => {
  peer = await startModelPeer();
});

afterAll(() => peer[Symbol.asyncDispose]());

beforeEach(async () => {
  await peer.service.methods.setModel({ textOnly: false, speed: 10_000 });
  await peer.takeRequests();
});

async function plan(fault: ModelFault, times: number): Promise<void> {
  await peer.service.methods.modelFault({ fault, times });
}

/** Asks, and tells what came of it. */
async function ask(options: Parameters<typeof makeModel>[1] = {}, events: ReplyEvent[] = []) {
  const { model, log } = makeModel(peer.azure(), options);
  async function* watched() {
    for await (const event of model.respond(QUESTION, VOICE, calm)) {
      events.push(event);
      yield event;
    }
  }
  const error = await failureOf(watched());
  return { error, events, log, requests: await peer.takeRequests() };
}

describe('a fault that may pass', () => {
  test.each<[ModelErrorKind, ModelFault]>([
    ['server-fault', { kind: 'status', status: 408 }],
    ['server-fault', { kind: 'status', status: 500 }],
    ['server-fault', { kind: 'status', status: 502 }],
    ['busy', { kind: 'status', status: 503 }],
    ['busy', { kind: 'status', status: 429, retryAfterSecs: 0 }],
    ['unreachable', { kind: 'cut', afterChunks: 'headers' }],
    ['truncated', { kind: 'cut', afterChunks: 0 }],
    ['truncated', { kind: 'no-end-marker', afterChunks: 0 }],
    ['server-fault', { kind: 'error-in-stream', afterChunks: 0 }],
    ['malformed', { kind: 'html' }],
    ['malformed', { kind: 'no-choices' }],
    ['malformed', { kind: 'bad-json' }],
    ['filter-down', { kind: 'filter-down' }],
  ])('%s before the first word is tried twice: %j', async (kind, fault) => {
    // In writing, the first chunk is the first word.
    await peer.service.methods.setModel({ textOnly: true });
    await plan(fault, 2);
    const { error, events, log, requests } = await ask();
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ kind });
    expect(events).toEqual([]);
    expect(requests).toHaveLength(2);
    const lines = log.at('warn');
    expect(lines).toHaveLength(2);
    expect(lines[0]?.fields).toMatchObject({ kind, operatorHint: expect.stringMatching(/^[A-Z1].*\.$/) });
  });

  test('leaves no trace in the reply when the second attempt works', async () => {
    const { model } = makeModel(peer.azure());
    await plan({ kind: 'status', status: 429, retryAfterSecs: 1 }, 1);
    const startedMs = performance.now();
    const reply = await collect(model.respond(QUESTION, VOICE, calm));
    expect(performance.now() - startedMs).toBeGreaterThan(990);
    expect(reply.done.finish).toBe('stop');
    const [refused, answered] = await peer.takeRequests();
    expect(refused?.status).toBe(429);
    expect(reply.transcript).toBe(answered?.reply?.text);
  });
});

describe('a fault that stays', () => {
  test.each<[ModelErrorKind, ModelFault]>([
    ['refused', { kind: 'status', status: 400 }],
    ['wrong-key', { kind: 'status', status: 401 }],
    ['not-permitted', { kind: 'status', status: 403 }],
    ['no-deployment', { kind: 'status', status: 404 }],
    ['retired', { kind: 'status', status: 410 }],
    ['busy', { kind: 'status', status: 429, retryAfterSecs: 86_400 }],
    ['filtered-prompt', { kind: 'filter-prompt' }],
  ])('%s is told at once: %j', async (kind, fault) => {
    await plan(fault, 1);
    const { error, requests, log } = await ask();
    expect(error).toMatchObject({ kind, requestId: expect.any(String) });
    expect(requests).toHaveLength(1);
    expect(log.at('warn')).toHaveLength(1);
  });

  test("the server's wait is passed on as it is", async () => {
    await plan({ kind: 'status', status: 429, retryAfterSecs: 86_400 }, 1);
    expect((await ask()).error).toMatchObject({ kind: 'busy', retryAfterMs: 86_400_000 });
  });

  test('a filter that lets nothing through has refused the reply', async () => {
    await peer.service.methods.setModel({ textOnly: true });
    await plan({ kind: 'filter-reply', afterChunks: 0 }, 1);
    const { error, requests } = await ask();
    expect(error).toMatchObject({ kind: 'filtered-reply' });
    expect(requests).toHaveLength(1);
  });
});

describe('a fault in the middle of the reply', () => {
  test.each<[ModelErrorKind, ModelFault]>([
    ['truncated', { kind: 'cut', afterChunks: 2 }],
    ['truncated', { kind: 'no-end-marker', afterChunks: 2 }],
    ['server-fault', { kind: 'error-in-stream', afterChunks: 2 }],
    ['malformed', { kind: 'bad-base64' }],
  ])('%s ends it after what was said, without another attempt: %j', async (kind, fault) => {
    // A reset overtakes what was written just before it, so the sound needs its time.
    await peer.service.methods.setModel({ speed: 4 });
    await plan(fault, 1);
    const { error, events, requests, log } = await ask();
    expect(error).toMatchObject({ kind });
    expect(requests).toHaveLength(1);
    expect(log.at('warn')).toMatchObject([{ fields: { kind, requestId: expect.any(String) } }]);
    expect(events.some(({ type }) => type === 'transcript')).toBe(true);
    // 200 ms of sound in a chunk.
    const frames = events.filter(({ type }) => type === 'audio');
    expect(frames).toHaveLength(fault.kind === 'bad-base64' ? 0 : 20);
    expect(events.some(({ type }) => type === 'done')).toBe(false);
  });

  test('a filter that cuts it is its end, and no way to refer to it', async () => {
    const { model } = makeModel(peer.azure());
    await plan({ kind: 'filter-reply', afterChunks: 2 }, 1);
    const reply = await collect(model.respond(QUESTION, VOICE, calm));
    expect(reply.done).toMatchObject({ finish: 'filtered', audio: undefined });
    expect(reply.frames).toHaveLength(20);
  });
});

describe('silence', () => {
  test.each<[string, ModelFault, { firstByteMs?: number; betweenChunksMs?: number }]>([
    ['first-byte', { kind: 'stall', afterChunks: 'headers' }, { firstByteMs: 300 }],
    ['between-chunks', { kind: 'stall', afterChunks: 2 }, { betweenChunksMs: 300 }],
  ])('is given up at the %s deadline, and the connection closed', async (phase, fault, deadlines) => {
    await plan(fault, 1);
    const { error, requests } = await ask({ deadlines });
    expect(error).toMatchObject({ kind: 'timeout', phase });
    expect(requests).toHaveLength(1);
    const [request] = requests;
    expect(request?.abandoned).toBe(true);
    const tookMs = (request?.endedAtMs ?? 0) - (request?.atMs ?? 0);
    expect(tookMs).toBeGreaterThan(250);
    expect(tookMs).toBeLessThan(3_000);
  });

  test.each<[ModelFault, number, number]>([
    [{ kind: 'stall', afterChunks: 'headers' }, 0, 10_000],
    [{ kind: 'stall', afterChunks: 2 }, 20, 5_000],
  ])('lasts as long as promised before it is given up: %j', async (fault, frames, limitMs) => {
    const clock = new ManualClock();
    const events: ReplyEvent[] = [];
    await plan(fault, 1);
    const asked = ask({ clock }, events);
    const heard = () => events.filter(({ type }) => type === 'audio').length;
    while (heard() < frames || clock.pending[0] !== limitMs) await setImmediate();
    clock.advance(limitMs - 1);
    expect(clock.pending).toEqual([1]);
    clock.advance(1);
    expect((await asked).error).toMatchObject({ kind: 'timeout' });
    expect(clock.pending).toEqual([]);
  });
});
