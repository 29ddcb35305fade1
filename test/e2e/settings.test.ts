import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import { voiceOf } from '../support/request-body.ts';
import { now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';

const VOICES = ['alloy', 'coral', 'echo', 'cedar'];

let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start({ env: { VOICES: VOICES.join(','), VOICE: 'echo' } });
  await scene.client.setModel({ reply: 'Good evening.' });
});

beforeEach(async () => {
  room = await scene.furnish();
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

/** The voice of the next answer to a question that asks for a voice message. */
async function askedVoice(channelId = room.text.id): Promise<string | undefined> {
  const since = now();
  await room.ask(room.bob, 'ask', { prompt: 'Say something.', reply: 'voice' }, channelId);
  return voiceOf(await room.request(since));
}

test('/voice without a name shows the present one and those there are', async () => {
  const answer = await room.ask(room.alice, 'voice');
  expect(answer).toBe(english.voice.present('echo', VOICES));
  for (const voice of VOICES) expect(answer).toContain(voice);
});

test('/voice offers what the deployment has, and what begins like what was typed first', async () => {
  const offered = async (value: string): Promise<(string | number)[]> => {
    const place = { personId: room.alice.id, channelId: room.text.id, command: 'voice', option: 'name', value };
    return (await scene.client.autocomplete(place)).choices.map((choice) => choice.value);
  };
  expect(await offered('')).toEqual(VOICES);
  expect(await offered('C')).toEqual(['coral', 'cedar', 'echo']);
  expect(await offered('x')).toEqual([]);
});

test('/voice in a channel is told to everyone and holds there, for /ask and for a call from there, and nowhere else', async () => {
  const { messages } = await room.run(room.alice, 'voice', { name: 'Coral' });
  expect(messages[0]).toMatchObject({ ephemeral: false, content: english.voice.changed('coral') });
  expect(await askedVoice()).toBe('coral');
  expect(await askedVoice(room.voice.id)).toBe('echo');
  await room.call();
  const first = await room.turn();
  expect(voiceOf(first.reply.request)).toBe('coral');
  expect(await room.ask(room.alice, 'voice')).toBe(english.voice.present('coral', VOICES));

  const since = now();
  expect(await room.ask(room.bob, 'voice', { name: 'cedar' })).toBe(english.voice.changed('cedar'));
  await room.message(({ content, edits }) => edits > 0 && content.includes('**cedar**'), since);
  const second = await room.turn('And now?');
  expect(voiceOf(second.reply.request)).toBe('cedar');
  await room.leave();
});

test('a voice there is not is refused, and nothing changes', async () => {
  expect(await room.ask(room.alice, 'voice', { name: 'nova' })).toBe(english.errors['unknown-voice']);
  expect(await askedVoice()).toBe('echo');
});

test('/answers shows whom it answers, changes it while a call runs, and everyone is told', async () => {
  await room.call();
  expect(await room.ask(room.alice, 'answers')).toBe(english.answers.present('always'));
  const since = now();
  const { messages } = await room.run(room.bob, 'answers', { whom: 'button' });
  expect(messages[0]).toMatchObject({ ephemeral: false, content: english.answers.changed('button') });
  await room.message(({ content, edits }) => edits > 0 && content.includes(english.answers.modes.button), since);
  expect(await room.ask(room.alice, 'answers')).toBe(english.answers.present('button'));
  await room.leave();
});

test('/stats before anything was answered says so, to who asked alone', async () => {
  const { messages } = await room.run(room.alice, 'stats');
  expect(messages[0]).toMatchObject({ ephemeral: true, content: english.stats.nothing });
});
