import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import { beat, now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { FAITHFUL, FAITHFUL_MESSAGE, fetchOgg, likeness } from '../support/sound.ts';

const TEXT = 'Please read this to the others: the ferry leaves at nine, and nobody will wait.';
const LONG =
  'The first lamp was lit before supper. The second one took a little longer, because the wick was wet. ' +
  'The third one never burned at all. Nobody minded, for by then the moon was up.';

let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start();
});

beforeEach(async () => {
  room = await scene.furnish();
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

async function say(text: string, voice?: string): Promise<string> {
  const options = voice === undefined ? { text } : { text, voice };
  const { interactionId } = await scene.client.runCommand({
    personId: room.alice.id,
    channelId: room.text.id,
    command: 'say',
    options,
  });
  return interactionId;
}

test('a text becomes a voice message with exactly its words, in the voice asked for', async () => {
  const since = now();
  await say(TEXT, 'cedar');
  const { attachments } = await room.message(({ voiceMessage }) => voiceMessage, since);
  const [request, ...others] = await scene.chatRequests(since);
  expect(others).toEqual([]);
  expect(request?.reply?.text).toBe(TEXT);
  expect(request?.body).toMatchObject({ modalities: ['text', 'audio'], audio: { voice: 'cedar' } });
  const { wav, durationSecs } = await fetchOgg(attachments[0]!.url);
  expect(likeness(request?.reply?.wav, wav)).toBeGreaterThanOrEqual(FAITHFUL_MESSAGE);
  expect(attachments[0]?.durationSecs).toBeCloseTo(durationSecs, 2);
  expect(attachments[0]?.waveform).toBeDefined();
  await room.reads(TEXT, since);
});

test('in a call it is heard there, and the sound is what the model sent', async () => {
  await room.call();
  const since = now();
  await say(TEXT);
  const from = await room.botSpeaking(true, since);
  await room.botSpeaking(false, from.atMs);
  const heard = await scene.client.heard({ personId: room.alice.id, fromUserId: room.botId, sinceMs: from.atMs });
  const [request] = await scene.chatRequests(since);
  expect(request?.reply?.text).toBe(TEXT);
  expect(likeness(request?.reply?.wav, heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  expect((await room.messages()).filter(({ voiceMessage }) => voiceMessage)).toEqual([]);
});

test('what was read wrongly is read once more, and then nobody hears of it', async () => {
  const since = now();
  await scene.client.modelFault({ fault: { kind: 'misread', words: 'Which ferry do you mean?' }, times: 1 });
  await say(TEXT);
  const { attachments } = await room.message(({ voiceMessage }) => voiceMessage, since);
  const requests = await scene.chatRequests(since);
  expect(requests.map(({ reply }) => reply?.text)).toEqual(['Which ferry do you mean?', TEXT]);
  const { wav } = await fetchOgg(attachments[0]!.url);
  expect(likeness(requests[1]?.reply?.wav, wav)).toBeGreaterThanOrEqual(FAITHFUL_MESSAGE);
});

test('what is read wrongly twice is told, word for word', async () => {
  const since = now();
  await scene.client.modelFault({ fault: { kind: 'misread', words: 'The ferry leaves at noon.' }, times: 2 });
  await say('The ferry leaves at dawn.');
  await room.message(({ voiceMessage }) => voiceMessage, since);
  await room.reads(english.say.strayed('dawn', 'noon'), since);
  expect(await scene.chatRequests(since)).toHaveLength(2);
});

test('two things said at once are heard one after the other, each whole', async () => {
  await room.call();
  const since = now();
  await say('The first of two things.');
  await say('And this is the second.');
  const first = await room.botSpeaking(true, since);
  const firstEnd = await room.botSpeaking(false, first.atMs);
  const second = await room.botSpeaking(true, firstEnd.atMs - 200);
  await room.botSpeaking(false, Math.max(second.atMs, firstEnd.atMs + 1));
  const heard = await scene.client.heard({ personId: room.alice.id, fromUserId: room.botId, sinceMs: first.atMs });
  for (const { reply } of await scene.chatRequests(since)) {
    expect(likeness(reply?.wav, heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  }
});

test('who speaks over it stops it, is told so, and is answered', async () => {
  await room.call();
  const since = now();
  await say(LONG);
  const from = await room.botSpeaking(true, since);
  await beat(1500);
  const said = await room.say(room.alice, 'Thank you, that is enough for me.');
  const stopped = await room.botSpeaking(false, from.atMs);
  expect(stopped.atMs - said.firstPacketAtMs).toBeLessThan(1000);
  await room.reads(english.say['spoken-over'], since);
  const { request } = await room.replied(said);
  expect(request.reply?.text).toContain('I heard');
});

test('what is said while an answer is heard comes after it', async () => {
  await room.call();
  await scene.client.setModel({ reply: 'This answer takes a little while to be heard by you.' });
  const said = await room.say(room.alice, 'Hello there.');
  const answer = await room.botSpeaking(true, said.lastVoicePacketAtMs);
  await scene.client.setModel({ reply: null });
  await say(TEXT);
  const answered = await room.botSpeaking(false, answer.atMs);
  const reply = await room.ended(await room.request(said.lastVoicePacketAtMs));
  const heard = await scene.client.heard({ personId: room.alice.id, fromUserId: room.botId, sinceMs: answer.atMs });
  expect(likeness(reply.reply?.wav, heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  await room.botSpeaking(true, answered.atMs);
});

test.for([
  ['…', english.errors['nothing-to-read']],
  ['a'.repeat(2001), english.errors['too-long-to-say']],
] as const)('%# what cannot be said is refused kindly', async ([text, sentence]) => {
  expect(await room.ask(room.alice, 'say', { text })).toBe(sentence);
});

test('a model that only writes is told of in a sentence', async () => {
  await scene.client.setModel({ textOnly: true });
  expect(await room.ask(room.alice, 'say', { text: TEXT })).toBe(english.errors['no-sound']);
  await scene.client.setModel({ textOnly: false });
});
