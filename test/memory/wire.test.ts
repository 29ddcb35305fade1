import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import { messagesOf } from '../support/request-body.ts';
import type { Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';

/**
 * What a request says of the reply before it. Replies that were interrupted or never heard are in `test/e2e/barge-in.test.ts`.
 */

const HOUR_MS = 60 * 60 * 1000;

let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start();
});
beforeEach(async () => {
  await scene.client.setModel({ reply: 'Good evening.', audioLifeMs: HOUR_MS });
  room = await scene.furnish();
  await room.call();
});
afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

/** The earlier reply as a request of the second turn names it. */
const byWords = { role: 'assistant', parts: ['Good evening.'], audioId: undefined };

test('an id that the server no longer knows is replaced by the words, once, and nobody notices', async () => {
  const { reply: first } = await room.turn();
  await scene.client.expireAudio({});
  const { said } = await room.turn();
  const [refused, asked, ...more] = await scene.chatRequests(said.lastVoicePacketAtMs);
  expect(more).toEqual([]);
  expect(refused).toMatchObject({ status: 400 });
  expect(refused && messagesOf(refused)[1]).toMatchObject({ audioId: first.request.reply?.audioId });
  expect(asked).toMatchObject({ status: 200 });
  expect(asked && messagesOf(asked)[1]).toEqual(byWords);
  const { reply: third } = await room.turn();
  // The newest reply has an id that lives.
  expect(messagesOf(third.request)[3]?.audioId).toBe(asked?.reply?.audioId);
  const messages = async (): Promise<string[]> => (await room.messages()).map(({ content }) => content);
  const replies = async (): Promise<number> => (await messages()).filter((words) => words === 'Good evening.').length;
  await expect.poll(replies, { timeout: 10_000 }).toBe(3);
  expect(await messages()).not.toContain(english.modelErrors['audio-not-found']);
});

test('a reply goes by its id for as long as no other follows, whatever is said meanwhile', async () => {
  const { reply: first } = await room.turn();
  await scene.client.modelFault({ fault: { kind: 'status', status: 500 }, times: 2, endpoint: 'chat' });
  await room.say(room.alice, 'Hello there.');
  await room.reads(english.modelErrors['server-fault']);
  const { reply } = await room.turn();
  expect(messagesOf(reply.request).filter(({ role }) => role === 'assistant')).toMatchObject([
    { audioId: first.request.reply?.audioId, parts: [] },
  ]);
});

test('an id that is about to expire is not used any more', async () => {
  await scene.client.setModel({ audioLifeMs: 45_000 });
  await room.turn();
  const { said, reply } = await room.turn();
  expect(await scene.chatRequests(said.lastVoicePacketAtMs)).toHaveLength(1);
  expect(messagesOf(reply.request)[1]).toEqual(byWords);
});

test('what the filter refused, of what was said or of what was answered, is never sent again', async () => {
  await scene.client.modelFault({ fault: { kind: 'filter-prompt' }, times: 1, endpoint: 'chat' });
  await room.say(room.alice, 'Something that is refused.');
  await room.reads(english.modelErrors['filtered-prompt']);
  await scene.client.setModel({ reply: 'This answer goes on for a while, and then the filter stops it.' });
  await scene.client.modelFault({ fault: { kind: 'filter-reply', afterChunks: 12 }, times: 1, endpoint: 'chat' });
  await room.say(room.alice, 'Tell me more.');
  await room.reads(english.modelErrors['filtered-reply']);
  await scene.client.modelFault({ fault: { kind: 'filter-reply', afterChunks: 0 }, times: 1, endpoint: 'chat' });
  expect(await room.ask(room.alice, 'ask', { prompt: 'And in writing?' })).toBe(english.modelErrors['filtered-reply']);
  const { reply } = await room.turn('Good morning.');
  expect(messagesOf(reply.request).map(({ role, parts }) => [role, parts])).toEqual([['user', ['Alice:', 0]]]);
});

test('a reply of which nobody heard a sound is not in the history, and what was said is', async () => {
  await scene.client.modelFault({ fault: { kind: 'status', status: 500 }, times: 2, endpoint: 'chat' });
  await room.say(room.alice, 'Hello there.');
  await room.reads(english.modelErrors['server-fault']);
  const { reply } = await room.turn('Good morning.');
  expect(messagesOf(reply.request).map(({ role, parts }) => [role, parts])).toEqual([
    ['user', ['Alice:', 0]],
    ['user', ['Alice:', 1]],
  ]);
});
