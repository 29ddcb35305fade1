import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { noise, sequence, silence } from '../audio/sounds.ts';
import { messagesOf, newestTurn } from '../support/request-body.ts';
import { beat, now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { base64Wav, FAITHFUL, likeness } from '../support/sound.ts';

const STORY =
  'Once upon a time there was a small village. In it lived a baker who loved the sea. ' +
  'Every morning he walked down to the harbour. There he counted the boats and whistled.';

/** The guard is 200 ms of voiced sound; what is more is the way there and a machine that is busy with other things. */
const MAX_STOP_MS = 1000;

let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start();
});

beforeEach(async () => {
  await scene.client.setModel({ reply: STORY, firstAudioMs: 60 });
  room = await scene.furnish();
  await room.call();
  await scene.client.join({ personId: room.bob.id, channelId: room.voice.id });
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

test('speaking over the reply stops it, and only what was heard is kept', async () => {
  const said = await room.say(room.alice, 'Tell us a story.');
  const started = await room.botSpeaking(true, said.lastVoicePacketAtMs);
  await beat(2500);
  await scene.client.setModel({ reply: 'Go ahead.' });
  const over = await room.say(room.bob, 'Wait, I have a better idea.', 'rms');
  const stopped = await room.botSpeaking(false, started.atMs);
  expect(stopped.atMs).toBeGreaterThan(over.firstPacketAtMs);
  expect(stopped.atMs - over.firstPacketAtMs).toBeLessThanOrEqual(MAX_STOP_MS);

  const { request } = await room.replied(over);
  expect(newestTurn(request)[0]).toBe('Bob:');
  const heard = messagesOf(request).at(-2);
  const words = String(heard?.parts[0]);
  expect(heard).toMatchObject({ role: 'assistant', audioId: undefined });
  expect(STORY.startsWith(words), words).toBe(true);
  // Three seconds of a reply of twelve: some of it, and by far not all.
  expect(words.length).toBeGreaterThan(15);
  expect(words.length).toBeLessThan(STORY.length / 2);
  await room.reads(`${words}…`);
  expect((await room.messages()).filter(({ content }) => content.startsWith('Once'))).toHaveLength(1);
});

test('a click and a cough do not stop the reply', async () => {
  const said = await room.say(room.alice, 'Tell us a story.');
  const started = await room.botSpeaking(true, said.lastVoicePacketAtMs);
  await beat(500);
  for (const ms of [20, 140]) {
    const wav = base64Wav(sequence(silence(100), noise(24 * ms, 12_000), silence(200)));
    await scene.client.speak({ personId: room.bob.id, wav });
    await beat(700);
  }
  const ended = await room.botSpeaking(false, started.atMs);
  const heard = await scene.client.heard({
    personId: room.alice.id,
    fromUserId: room.botId,
    sinceMs: started.atMs,
  });
  const { reply } = await room.ended(await room.request(said.lastVoicePacketAtMs));
  expect(likeness(reply?.wav, heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  await room.reads(STORY);
  expect(await scene.chatRequests(said.lastVoicePacketAtMs)).toHaveLength(1);
  expect(ended.atMs - started.atMs).toBeGreaterThan(5000);
});

test('who had only paused goes on: the reply is called off unheard, and one request holds all they said', async () => {
  await scene.client.setModel({ reply: 'Go ahead.', firstAudioMs: 4000 });
  const first = await room.say(room.alice, 'I was thinking.');
  const asked = await room.request(first.lastVoicePacketAtMs);
  await scene.client.setModel({ firstAudioMs: 60 });
  const second = await room.say(room.alice, 'We could play a game.');
  expect((await room.ended(asked)).abandoned).toBe(true);
  const { request } = await room.replied(second);
  const [label, index, againLabel, againIndex, ...more] = newestTurn(request);
  expect(more).toEqual([]);
  expect([label, againLabel]).toEqual(['Alice at 0.0 s:', expect.stringMatching(/^Alice at [12]\.\d s:$/)]);
  expect(likeness(first.wav, request.audio[Number(index)]?.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  expect(likeness(second.wav, request.audio[Number(againIndex)]?.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  expect(messagesOf(request)).toHaveLength(1);
});

test('the reply stops when the bot is sent away, and what was heard of it stays in the channel', async () => {
  const said = await room.say(room.alice, 'Tell us a story.');
  const started = await room.botSpeaking(true, said.lastVoicePacketAtMs);
  await beat(1500);
  const sentAwayAtMs = now();
  const answer = await room.ask(room.alice, 'leave');
  expect(answer).toBe('I have left the voice channel.');
  const stopped = await room.botSpeaking(false, started.atMs);
  expect(stopped.atMs - sentAwayAtMs).toBeLessThanOrEqual(MAX_STOP_MS);
  const caption = (await room.messages()).find(({ content }) => content.startsWith('Once'));
  expect(caption?.content).toMatch(/…$/);
  expect(STORY.startsWith(caption?.content.slice(0, -1) ?? '-')).toBe(true);
});
