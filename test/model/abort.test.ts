import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';

import { asking, failureOf, makeModel, startModelPeer, type ModelPeer } from './support/model-peer.ts';

const VOICE = { output: 'voice', voice: 'alloy' } as const;
const QUESTION = asking('Tell me at some length what the weather was like in the garden all through last week.');

let peer: ModelPeer;

beforeAll(async () => {
  peer = await startModelPeer();
});

afterAll(() => peer[Symbol.asyncDispose]());

beforeEach(async () => {
  // Real time, so that a reply is far from its end when it is called off.
  await peer.service.methods.setModel({ firstAudioMs: 0, speed: 1 });
  await peer.takeRequests();
});

/** A reply that has begun to sound. */
async function soundingReply() {
  const controller = new AbortController();
  const { model, log } = makeModel(peer.azure());
  const events = model.respond(QUESTION, VOICE, controller.signal);
  let event = await events.next();
  while (!event.done && event.value.type !== 'audio') event = await events.next();
  return { events, controller, log };
}

describe('calling a reply off', () => {
  test('while its next piece is awaited ends it with the reason, and closes the connection', async () => {
    const { events, controller, log } = await soundingReply();
    const reason = new Error('barge-in');
    const ended = peer.next('model-ended');
    const rest = failureOf(events);
    controller.abort(reason);
    expect(await rest).toBe(reason);
    await ended;
    expect(await peer.takeRequests()).toMatchObject([{ abandoned: true }]);
    expect(log.at('warn')).toEqual([]);
    expect(log.at('info')).toMatchObject([{ fields: { outcome: 'aborted' } }]);
  });

  test('while the listener is busy closes the connection at once, and nothing more is yielded', async () => {
    const { events, controller } = await soundingReply();
    // 200 ms of sound arrived together: nine more frames are there already.
    const reason = new Error('barge-in');
    const ended = peer.next('model-ended');
    controller.abort(reason);
    await ended;
    expect(await peer.takeRequests()).toMatchObject([{ abandoned: true }]);
    await expect(events.next()).rejects.toBe(reason);
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test('before the model has said anything', async () => {
    await peer.service.methods.modelFault({ fault: { kind: 'stall', afterChunks: 'headers' }, times: 1 });
    const controller = new AbortController();
    const { model } = makeModel(peer.azure());
    const asked = peer.next('model-request');
    const failure = failureOf(model.respond(QUESTION, VOICE, controller.signal));
    await asked;
    controller.abort('left');
    expect(await failure).toBe('left');
    expect(await peer.takeRequests()).toMatchObject([{ abandoned: true }]);
  });

  test('while signing in', async () => {
    const fault = { kind: 'stall', afterChunks: 'headers' } as const;
    await peer.service.methods.modelFault({ fault, times: 1, endpoint: 'token' });
    vi.stubEnv('IDENTITY_ENDPOINT', `${peer.service.url}/msi/token`);
    vi.stubEnv('IDENTITY_HEADER', peer.service.identityHeader);
    const controller = new AbortController();
    const auth = { kind: 'entra', scope: 'https://cognitiveservices.azure.com/.default' } as const;
    const { model } = makeModel(peer.azure({ auth }));
    const asked = peer.next('model-request');
    const failure = failureOf(model.respond(QUESTION, VOICE, controller.signal));
    await asked;
    controller.abort('left');
    expect(await failure).toBe('left');
    vi.unstubAllEnvs();
    expect(await peer.takeRequests()).toMatchObject([{ endpoint: 'token' }]);
  });

  test('before it is asked for asks for nothing', async () => {
    const { model } = makeModel(peer.azure());
    const failure = failureOf(model.respond(QUESTION, VOICE, AbortSignal.abort('left')));
    expect(await failure).toBe('left');
    expect(await peer.takeRequests()).toEqual([]);
  });
});

test('leaving the loop early closes the connection too', async () => {
  const { events, log } = await soundingReply();
  const ended = peer.next('model-ended');
  for await (const _ of events) break;
  await ended;
  expect(await peer.takeRequests()).toMatchObject([{ abandoned: true }]);
  expect(log.at('info')).toMatchObject([{ fields: { outcome: 'abandoned' } }]);
});
