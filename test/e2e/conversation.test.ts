import { afterAll, beforeAll, expect, test } from 'vitest';

import { messagesOf, newestTurn } from '../support/request-body.ts';
import { beat, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { FAITHFUL, likeness } from '../support/sound.ts';

/** Two voices that say different things have little in common. */
const STRANGERS = 0.4;

let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start();
  await scene.client.setModel({ reply: 'Good evening.' });
  room = scene.home;
  await room.call();
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

test('the second turn carries the first', async () => {
  const first = await room.turn('Hello there.');
  const { said, reply } = await room.turn('What did I say?');
  const [asked, answered, newest, ...more] = messagesOf(reply.request);
  expect(more).toEqual([]);
  expect(asked).toMatchObject({ role: 'user', parts: ['Alice:', 0] });
  expect(likeness(first.said.wav, reply.request.audio[0]?.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  expect(answered).toMatchObject({ role: 'assistant', audioId: first.reply.request.reply?.audioId });
  expect(newest).toMatchObject({ role: 'user', parts: ['Alice:', 1] });
  expect(likeness(said.wav, reply.request.audio[1]?.wav)).toBeGreaterThanOrEqual(FAITHFUL);
});

test('somebody who joins in mid-call is heard, and hears the answer', async () => {
  await scene.client.join({ personId: room.bob.id, channelId: room.voice.id });
  const said = await room.say(room.bob, 'I am Bob, hello.', 'rms');
  const reply = await room.replied(said, room.bob);
  expect(newestTurn(reply.request)[0]).toBe('Bob:');
  expect(likeness(said.wav, reply.request.audio.at(-1)?.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  expect(likeness(reply.request.reply?.wav, reply.heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
});

test('two who speak at once make one turn: each with their name, never mixed', async () => {
  const [aliceWav, bobWav] = await Promise.all([
    room.recording('What should we play tonight?', 'slt'),
    room.recording('I would like something with dragons.', 'rms'),
  ]);
  const [alice, bob] = await Promise.all([
    scene.client.speak({ personId: room.alice.id, wav: aliceWav }),
    beat(500).then(() => scene.client.speak({ personId: room.bob.id, wav: bobWav })),
  ]);
  expect(bob.firstPacketAtMs, 'they spoke at once').toBeLessThan(alice.lastVoicePacketAtMs);
  const { request } = await room.replied(bob);
  expect(request.reply?.text).toBe('Good evening.');
  const [aliceLabel, aliceIndex, bobLabel, bobIndex, ...more] = newestTurn(request);
  expect(more).toEqual([]);
  expect([aliceLabel, bobLabel]).toEqual([
    expect.stringMatching(/^Alice at 0\.0 s:$/),
    expect.stringMatching(/^Bob at 0\.\d s:$/),
  ]);
  const received = [aliceIndex, bobIndex].map((index) => request.audio[Number(index)]?.wav);
  expect(likeness(aliceWav, received[0])).toBeGreaterThanOrEqual(FAITHFUL);
  expect(likeness(bobWav, received[1])).toBeGreaterThanOrEqual(FAITHFUL);
  expect(Math.abs(likeness(aliceWav, received[1]))).toBeLessThan(STRANGERS);
  expect(Math.abs(likeness(bobWav, received[0]))).toBeLessThan(STRANGERS);
});

test('speech and writing are one conversation', async () => {
  expect(await room.ask(room.alice, 'ask', { prompt: 'And in writing?' })).toBe('Good evening.');
  const { reply } = await room.turn('Hello there.');
  const messages = messagesOf(reply.request);
  expect(messages.at(-3)).toMatchObject({ role: 'user', parts: ['Alice: And in writing?'] });
  expect(messages.at(-2)).toMatchObject({ role: 'assistant', parts: ['Good evening.'] });
});

test('what somebody said before they left is answered at once', async () => {
  const wav = await room.recording('I really have to go now, but I wanted to tell you that it was lovely.', 'rms');
  const speaking = scene.client.speak({ personId: room.bob.id, wav });
  await beat(1500);
  await scene.client.leave({ personId: room.bob.id });
  const report = await speaking;
  expect(report.interrupted).toBe(true);
  const { request } = await room.replied(report);
  const sound = request.audio.at(-1);
  expect(newestTurn(request)[0]).toBe('Bob:');
  // It is the beginning of what he said.
  expect(likeness(sound?.wav, wav)).toBeGreaterThanOrEqual(FAITHFUL);
});

test('who mutes themselves in mid-speech has ended their turn', async () => {
  const wav = await room.recording('I really have to go now, but I wanted to tell you that it was lovely.');
  const speaking = scene.client.speak({ personId: room.alice.id, wav });
  await beat(1500);
  await scene.client.setSelfVoice({ personId: room.alice.id, selfMute: true });
  const mutedAtMs = performance.now();
  const request = await room.request(mutedAtMs);
  expect(likeness((await room.ended(request)).audio.at(-1)?.wav, wav)).toBeGreaterThanOrEqual(FAITHFUL);
  await room.botSpeaking(false, mutedAtMs);
  await speaking;
  await scene.client.setSelfVoice({ personId: room.alice.id, selfMute: false });
});

test('a bot in the channel is not heard', async () => {
  const { guildId } = room;
  const music = await scene.client.createPerson({ guildId, name: 'Music', bot: true });
  await scene.client.join({ personId: music.id, channelId: room.voice.id });
  const before = (await scene.chatRequests()).length;
  await room.say({ id: music.id, name: 'Music' }, 'La la la, this is a song.', 'kal');
  const { reply } = await room.turn('Hello there.');
  expect(newestTurn(reply.request)).toHaveLength(2);
  expect(newestTurn(reply.request)[0]).toBe('Alice:');
  expect(await scene.chatRequests()).toHaveLength(before + 1);
});

test('a model that answers in writing is given its own words to say, and they stand in the channel once', async () => {
  const since = performance.now();
  await scene.client.setModel({ textOnly: true, reply: 'I would rather write.' });
  await room.say(room.alice, 'Hello there.');
  await room.reads('I would rather write.', since);
  const [, again] = await expect
    .poll(async () => await scene.chatRequests(since), { timeout: 15_000 })
    .toHaveLength(2)
    .then(() => scene.chatRequests(since));
  if (!again) throw new Error('it was not asked again');
  expect(newestTurn(again).join(' ')).toContain('I would rather write.');
  await room.ended(again);
  await scene.client.setModel({ textOnly: false, reply: 'Good evening.' });
  const { reply } = await room.turn('Hello there.');
  expect(messagesOf(reply.request).at(-2)).toMatchObject({ role: 'assistant', parts: ['I would rather write.'] });
  expect((await room.messages()).filter(({ content }) => content === 'I would rather write.')).toHaveLength(1);
});
