import { afterAll, beforeAll, expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import { SkippingClock } from '../discord/support/skipping-clock.ts';
import { beat, now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { EARLY_FAULTS, LATE_FAULTS, titleOf } from './model-faults.ts';

const clock = new SkippingClock();
let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start({ clock });
  room = scene.home;
  await scene.client.setModel({
    reply: 'I would like to say something longer, if I may.',
    firstAudioMs: 20,
    speed: 50,
  });
});

afterAll(async () => {
  expect(await room.ask(room.alice, 'ask', { prompt: 'All well?' })).toMatch(/^I would/);
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

test.for([...EARLY_FAULTS, ...LATE_FAULTS].map((fault) => [titleOf(fault), fault] as const))(
  '%s',
  async ([, { fault, times, trouble, requests, deadlineMs }]) => {
    const since = now();
    await scene.client.modelFault({ fault, times, endpoint: 'chat' });
    const answer = room.ask(room.alice, 'ask', { prompt: 'Hello.' });
    if (deadlineMs !== undefined) {
      await room.request(since);
      await skipUntil(answer, deadlineMs);
    }
    expect(await answer).toBe(
      trouble ? english.modelErrors[trouble] : 'I would like to say something longer, if I may.',
    );
    expect(await scene.chatRequests(since)).toHaveLength(requests);
  },
);

/** Skips the waits for a model that has fallen silent, until the answer is there. */
async function skipUntil(answer: Promise<string>, deadlineMs: number): Promise<void> {
  const answered = new AbortController();
  void answer.finally(() => answered.abort());
  while (!answered.signal.aborted) {
    // What is being kept is not to fall behind only because time is skipped.
    await beat(300);
    clock.skip(deadlineMs);
  }
}
