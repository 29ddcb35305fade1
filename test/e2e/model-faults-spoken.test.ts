import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import type { ModelRequestRecord } from '../../src/sandbox/control/protocol.ts';
import { SkippingClock } from '../discord/support/skipping-clock.ts';
import { messagesOf } from '../support/request-body.ts';
import { now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { FAITHFUL, likeness } from '../support/sound.ts';
import { EARLY_FAULTS, LATE_FAULTS, titleOf } from './model-faults.ts';

const clock = new SkippingClock();
const LONG_REPLY = 'I would like to say something longer, if I may.';
let scene: Scene;
let room: Room;
let hello: string;

beforeAll(async () => {
  scene = await Scene.start({ clock });
  room = scene.home;
  hello = await room.recording('Hello.');
  // Made beforehand, so that its pieces come in time even when the machine is busy.
  await room.recording(LONG_REPLY, 'kal');
  await room.call();
});

beforeEach(async () => {
  await scene.client.setModel({ reply: 'Well.', speed: 8 });
});

afterAll(async () => {
  // Whatever has failed, the next turn is answered as ever.
  await scene.client.setModel({ reply: 'Good evening.' });
  const { reply } = await room.turn();
  expect(likeness(reply.request.reply?.wav, reply.heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  await room.reads('Good evening.');
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

/** That asking again mends a failure is shown in writing for each, and here for one. */
const TOLD_FAULTS = EARLY_FAULTS.filter(({ fault, times, trouble }) => {
  return times === 2 || trouble !== undefined || fault.kind === 'delay' || fault.kind === 'cut';
});

test.for(TOLD_FAULTS.map((fault) => [titleOf(fault), fault] as const))('%s', async ([, expected]) => {
  const { fault, times, trouble, requests, deadlineMs } = expected;
  const since = now();
  await scene.client.modelFault({ fault, times, endpoint: 'chat' });
  const said = await scene.client.speak({ personId: room.alice.id, wav: hello });
  if (deadlineMs !== undefined) {
    await room.request(since);
    clock.skip(deadlineMs);
  }
  if (trouble === undefined) {
    const started = await room.botSpeaking(true, said.lastVoicePacketAtMs);
    await room.botSpeaking(false, started.atMs);
  } else {
    await room.reads(english.modelErrors[trouble], since);
  }
  expect(await scene.chatRequests(since)).toHaveLength(requests);
});

describe('in the middle of a reply', () => {
  // In another call: edits of so many turns at once wait for each other, and these would come last.
  beforeAll(async () => {
    await room.leave();
    await room.call();
  });

  test.for(LATE_FAULTS.map((fault) => [titleOf(fault), fault] as const))(
    '%s',
    async ([, { fault, times, trouble, requests, deadlineMs }]) => {
      // Slow enough that what came before the failure has been heard.
      await scene.client.setModel({ reply: LONG_REPLY, speed: 1.5 });
      const since = now();
      await scene.client.modelFault({ fault, times, endpoint: 'chat' });
      const said = await scene.client.speak({ personId: room.alice.id, wav: hello });
      const started = await room.botSpeaking(true, said.lastVoicePacketAtMs);
      if (deadlineMs !== undefined) {
        await room.botSpeaking(false, started.atMs);
        clock.skip(deadlineMs);
      }
      if (trouble) await room.reads(english.modelErrors[trouble], since);
      await room.message(({ content }) => content.startsWith('I would') && content.endsWith('…'), since);
      expect(await scene.chatRequests(since)).toHaveLength(requests);
    },
  );
});

test('sound that cannot be decoded', async () => {
  const since = now();
  await scene.client.modelFault({ fault: { kind: 'bad-base64' }, times: 1, endpoint: 'chat' });
  await scene.client.speak({ personId: room.alice.id, wav: hello });
  await room.reads(english.modelErrors.malformed, since);
});

test('chunks that split samples are heard as if they did not', async () => {
  await scene.client.setModel({ reply: LONG_REPLY });
  await scene.client.modelFault({ fault: { kind: 'odd-bytes' }, times: 1, endpoint: 'chat' });
  const reply = await room.replied(await scene.client.speak({ personId: room.alice.id, wav: hello }));
  expect(likeness(reply.request.reply?.wav, reply.heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
});

test('a spoken reply that the model has forgotten is sent as words', async () => {
  await room.turn();
  const since = now();
  await scene.client.expireAudio({});
  await room.turn();
  const [forgotten, again] = await scene.chatRequests(since);
  expect(forgotten?.status).toBe(400);
  expect(lastAnswer(forgotten)).toMatchObject({ parts: [], audioId: expect.any(String) });
  expect(lastAnswer(again)).toMatchObject({ parts: ['Well.'], audioId: undefined });
});

function lastAnswer(request: ModelRequestRecord | undefined) {
  return request && messagesOf(request).findLast(({ role }) => role === 'assistant');
}
