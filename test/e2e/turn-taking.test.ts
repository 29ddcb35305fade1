import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { noise, sequence, silence } from '../audio/sounds.ts';
import { messagesOf, newestTurn } from '../support/request-body.ts';
import { beat, type Person, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { base64Wav, samplesOf } from '../support/sound.ts';

const STORY =
  'Once upon a time there was a small village. In it lived a baker who loved the sea. ' +
  'Every morning he walked down to the harbour. There he counted the boats and whistled.';

let scene: Scene;
let room: Room;
let carol: Person;

// As it is shipped: who is meant is found out, answers are asked for at the first pause, silence follows the speaker.
beforeAll(async () => {
  scene = await Scene.start({ env: { ANSWERS: 'name', SPECULATION: 'on', TURN_SILENCE_MS: '' } });
});

beforeEach(async () => {
  await scene.client.setModel({ reply: STORY, firstAudioMs: 60 });
  room = await scene.furnish();
  carol = await scene.client.createPerson({ guildId: room.guildId, name: 'Carol' });
  await room.call();
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

async function everybodyJoins(): Promise<void> {
  for (const { id } of [room.bob, carol]) await scene.client.join({ personId: id, channelId: room.voice.id });
}

/** Alice asks for the story, and a second of it has been told. */
async function telling(): Promise<{ startedAtMs: number }> {
  const said = await room.say(room.alice, 'Parley, tell us a story.');
  const started = await room.botSpeaking(true, said.firstPacketAtMs);
  await beat(1000);
  return { startedAtMs: started.atMs };
}

/** Resolves when every frame of the reply has been heard, but for the silence that the model puts before its first sound. */
async function heardWhole(startedAtMs: number): Promise<void> {
  const request = (await scene.chatRequests()).findLast(({ reply }) => reply?.wav !== undefined);
  const sent = Math.ceil(samplesOf(request?.reply?.wav).length / 480);
  const heard = async (): Promise<number> => {
    const { packets } = await scene.client.heard({ personId: carol.id, fromUserId: room.botId, sinceMs: startedAtMs });
    return packets.filter(({ silence: isSilence }) => !isSilence).length;
  };
  await expect.poll(heard, { timeout: 20_000 }).toBeGreaterThan(sent - 10);
}

test('a cough and an "mm-hm" lose no frame of the reply', async () => {
  await everybodyJoins();
  const { startedAtMs } = await telling();
  const cough = base64Wav(sequence(silence(100), noise(24 * 120, 12_000), silence(200)));
  await scene.client.speak({ personId: room.alice.id, wav: cough });
  await beat(700);
  await room.say(room.alice, 'Mm-hm.');
  await heardWhole(startedAtMs);
  await room.reads(STORY);
  expect(newestTurn((await scene.chatRequests()).at(-1)!)[0]).toBe('Alice:');
});

test('"stop" ends it, and nothing is answered to that', async () => {
  await everybodyJoins();
  const { startedAtMs } = await telling();
  const stop = await room.say(room.bob, 'Stop.', 'rms');
  const stopped = await room.botSpeaking(false, startedAtMs);
  expect(stopped.atMs).toBeGreaterThan(stop.firstPacketAtMs);
  const caption = await room.message(
    ({ content }) => content.startsWith('Once') && content.endsWith('…'),
    stopped.atMs,
  );
  expect(STORY.startsWith(caption.content.slice(0, -1))).toBe(true);
  await scene.client.setModel({ reply: 'What is it?' });
  const next = await room.say(room.alice, 'Parley, are you there?');
  const { request } = await room.replied(next);
  // What was heard of the story, what Bob said, and nothing in between.
  const words = messagesOf(request).map(({ role, parts }) => `${role}: ${parts.map(String).join(' ')}`);
  expect(words.slice(-3, -1)).toEqual([`assistant: ${caption.content.slice(0, -1)}`, 'user: Bob: Stop.']);
});

test('of three people it answers who says its name, and knows what the others said', async () => {
  await everybodyJoins();
  const quiet = await room.say(room.bob, 'I liked the red one much better.', 'rms');
  await beat(2500);
  await room.say(carol, 'So did I.', 'awb');
  await beat(2500);
  const asked = await room.say(room.alice, 'Parley, what did Bob just say?');
  const { request } = await room.replied(asked);
  const words = messagesOf(request).map(({ parts }) => parts.map(String).join(' '));
  expect(words.slice(0, 2)).toEqual(['Bob: I liked the red one much better.', 'Carol: So did I.']);
  expect(newestTurn(request)[0]).toBe('Alice:');
  const spoken = (await scene.chatRequests(quiet.firstPacketAtMs)).filter(({ reply }) => reply?.wav !== undefined);
  expect(spoken.every((one) => String(newestTurn(one)[0]).startsWith('Alice'))).toBe(true);
  await room.message(({ content }) => content.includes('what did Bob just say'));
  expect((await room.messages()).some(({ content }) => content.includes('red one'))).toBe(false);
});

test('an answer is asked for while it is open whether the turn is over, and what was asked in vain is nowhere', async () => {
  await scene.client.setModel({ reply: 'Of course.' });
  const wav = base64Wav(
    sequence(
      samplesOf(await room.recording('Tell me about the boats')),
      silence(250),
      samplesOf(await room.recording('in the harbour of the village')),
    ),
  );
  const said = await scene.client.speak({ personId: room.alice.id, wav });
  const started = await room.botSpeaking(true, said.firstPacketAtMs);
  await room.botSpeaking(false, started.atMs);
  const requests = await scene.chatRequests(said.firstPacketAtMs);
  expect(requests.length).toBeGreaterThan(1);
  // Asked a moment after the last word, long before the silence that ends a turn.
  const last = requests.at(-1)!;
  expect(last.atMs - said.lastVoicePacketAtMs).toBeLessThan(280);
  expect(messagesOf(last)).toHaveLength(1);
  await room.reads('Of course.');
  expect((await room.messages()).filter(({ content }) => content === 'Of course.')).toHaveLength(1);
});

test('the model may find that it was not meant, and then nobody hears or reads anything of it', async () => {
  await everybodyJoins();
  await scene.client.setModel({ declines: true });
  const said = await room.say(room.alice, 'I asked Parley about it yesterday.');
  const asked = await room.request(said.firstPacketAtMs);
  await room.ended(asked);
  await room.message(({ content }) => content.includes('I asked Parley'));
  await scene.client.setModel({ declines: false, reply: 'Here.' });
  const next = await room.say(room.alice, 'Parley, are you there?');
  const { request } = await room.replied(next);
  expect(messagesOf(request).map(({ role }) => role)).toEqual(['user', 'user']);
  await room.reads('Here.');
  const words = (await room.messages()).map(({ content, authorId }) => (authorId === room.botId ? content : ''));
  expect(words.filter((content) => content === STORY)).toEqual([]);
});
