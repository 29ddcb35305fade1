import { readFile } from 'node:fs/promises';

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { SAMPLE_RATE_HZ } from '../../src/audio/frame.ts';
import { correlate } from '../../src/audio/similarity.ts';
import { openMp3 } from '../../src/files/mp3-decoder.ts';
import { openOggOpus } from '../../src/files/ogg-opus.ts';
import { english } from '../../src/language/english.ts';
import type { MessageSnapshot } from '../../src/sandbox/control/protocol.ts';
import { played } from '../files/played.ts';
import { now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { base64Wav, FAITHFUL, likeness, samplesOf } from '../support/sound.ts';

const CHAPTER = new URL('../narration/fixtures/the-lamplighter.md', import.meta.url);

const SHORT = [
  'The first door was red.',
  'The second door was blue.',
  'Behind the third one somebody sang.',
  'The fourth had gone.',
];

let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start();
  await scene.client.setModel({ firstAudioMs: 20, speed: 50 });
});

beforeEach(async () => {
  room = await scene.furnish();
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

async function narrate(options: Record<string, string | { name: string; data: string }>): Promise<string> {
  const { interactionId } = await scene.client.runCommand({
    personId: room.alice.id,
    channelId: room.text.id,
    command: 'narrate',
    options,
  });
  return interactionId;
}

async function chapter(): Promise<{ name: string; data: string }> {
  return { name: 'lamplighter.md', data: (await readFile(CHAPTER)).toString('base64') };
}

/** Alice presses a button of a narration, as it is now or was a moment ago. */
async function press(message: MessageSnapshot, action: string): Promise<void> {
  const jobId = /narrate:\w+:(\d+)/.exec(JSON.stringify(message.components))?.[1];
  const where = { personId: room.alice.id, channelId: room.text.id, messageId: message.id };
  await scene.client.pressButton({ ...where, customId: `narrate:${action}:${jobId}` });
}

/** What the reading ended with. */
function ended(since: number): Promise<MessageSnapshot> {
  return room.message(
    ({ content, components }) => content.startsWith('That was all') && components.length === 0,
    since,
  );
}

async function heardSince(sinceMs: number): Promise<string> {
  return (await scene.client.heard({ personId: room.alice.id, fromUserId: room.botId, sinceMs })).wav;
}

/** Files the bot has given since then, in order. */
async function files(sinceMs: number) {
  const messages = (await room.messages()).filter(
    ({ createdAtMs, authorId, voiceMessage }) => createdAtMs >= sinceMs && authorId === room.botId && !voiceMessage,
  );
  return messages.flatMap(({ attachments }) => attachments);
}

async function download(url: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

/** The sentences of the chapter, in order, without its marks. */
async function sentences(): Promise<string[]> {
  const text = (await readFile(CHAPTER, 'utf8')).replace(/^#+ |^- /gm, '').replace(/[*_]/g, '');
  return text.split(/\n+/).filter((line) => line !== '');
}

test('a chapter of a book: every sentence once and in order, a file a chapter, as long as it is and as the model spoke it', async () => {
  const since = now();
  await narrate({ file: await chapter(), voice: 'sage', pace: 'slow', manner: 'like a bedtime story' });
  const { content } = await ended(since);
  const requests = await scene.chatRequests(since);
  expect(requests.map(({ reply }) => reply?.text).join(' ')).toBe((await sentences()).join(' '));
  const instructions = new Set(requests.map(({ body }) => JSON.stringify(Object(body).messages[0])));
  expect(instructions.size).toBe(1);
  expect([...instructions][0]).toContain('like a bedtime story');
  for (const { body } of requests) expect(body).toMatchObject({ audio: { voice: 'sage' } });

  const given = await files(since);
  expect(given.map(({ name }) => name)).toEqual(['1-The-last-lamp.ogg', '2-What-the-river-knew.ogg']);
  let seconds = 0;
  let at = 0;
  for (const { url } of given) {
    const sound = await played(openOggOpus, await download(url));
    seconds += sound.length / SAMPLE_RATE_HZ;
    // Each passage is in it, after the one before.
    for (let from = 0; at < requests.length; at++) {
      const spoken = samplesOf(requests[at]?.reply?.wav);
      const window = sound.subarray(from, from + spoken.length + SAMPLE_RATE_HZ);
      const { correlation, offsetSamples } = correlate(spoken, window);
      if (correlation < FAITHFUL) break;
      from += offsetSamples + spoken.length - SAMPLE_RATE_HZ / 4;
    }
  }
  expect(at).toBe(requests.length);
  expect(content).toBe(english.narrate.done(seconds * 1000));
});

test('a long one begins only once the button is pressed, and what is not begun costs nothing', async () => {
  const since = now();
  const text = 'The tide came in, and the tide went out again. '.repeat(220);
  await narrate({ file: { name: 'tide.txt', data: Buffer.from(text).toString('base64') } });
  const question = await room.message(({ content }) => content.includes('Shall I read it?'), since);
  expect(question.content).toMatch(/about \*\*1[0-9] min\*\* of sound, and about [\d,]+ tokens/);
  await press(question, 'cancel');
  await room.message(({ id, content }) => id === question.id && content === english.narrate.cancelled, since);
  expect(await scene.chatRequests(since)).toEqual([]);

  await narrate({ file: { name: 'tide.txt', data: Buffer.from(text).toString('base64') } });
  const again = await room.message(({ id, content }) => id !== question.id && content.includes('Shall I'), since);
  await press(again, 'start');
  const shown = await room.message(({ id, content }) => id === again.id && content.includes('▱'), since);
  await press(shown, 'cancel');
  const end = await room.message(({ id, components }) => id === again.id && components.length === 0, since);
  expect(end.content).toContain(english.narrate.cancelled);
});

test('in a call it is heard: paused, gone on with, moved back and on, and stopped by its buttons', async () => {
  await room.call();
  const since = now();
  await narrate({ text: SHORT.join('\n\n') });
  const from = await room.botSpeaking(true, since);
  const shown = await room.message(({ components }) => JSON.stringify(components).includes('narrate:pause'), since);
  await press(shown, 'pause');
  const paused = await room.botSpeaking(false, from.atMs);
  await room.message(
    ({ id, components }) => id === shown.id && JSON.stringify(components).includes('narrate:go-on'),
    since,
  );
  // Everything is given while it is paused.
  await expect.poll(() => files(since), { timeout: 20_000 }).toHaveLength(1);
  await press(shown, 'go-on');
  const back = await room.botSpeaking(true, paused.atMs + 1);
  await press(shown, 'on');
  await press(shown, 'on');
  const moved = await room.botSpeaking(true, back.atMs + 1);
  const third = (await scene.chatRequests(since))[2]?.reply;
  expect(third?.text).toBe(SHORT[2]);
  await expect
    .poll(async () => likeness(third?.wav, await heardSince(moved.atMs)), { timeout: 20_000, interval: 500 })
    .toBeGreaterThanOrEqual(FAITHFUL);
  const stopped = now();
  await press(shown, 'stop');
  await room.botSpeaking(false, stopped);
  await ended(stopped);
});

test('who speaks while it reads is answered, and then it reads on', async () => {
  await room.call();
  const since = now();
  await narrate({ text: 'The harbour lay quite still. '.repeat(5) });
  await expect.poll(() => files(since), { timeout: 20_000 }).toHaveLength(1);
  const from = await room.botSpeaking(true, since);
  const said = await room.say(room.alice, 'Tell me, who are you?');
  const stopped = await room.botSpeaking(false, from.atMs);
  expect(stopped.atMs - said.firstPacketAtMs).toBeLessThan(1000);
  const answer = await room.replied(said);
  expect(likeness(answer.request.reply?.wav, answer.heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  const on = await room.botSpeaking(true, answer.toMs);
  await room.botSpeaking(false, on.atMs);
  await ended(since);
});

test.for([
  ['tide.txt', '', english.fileErrors.empty('tide.txt')],
  ['tide.txt', ' \n * \n', english.fileErrors['no-text']('tide.txt')],
  ['tide.pdf', '%PDF-1.7\0\0\0', english.fileErrors['not-a-text']('tide.pdf')],
  ['tide.epub', 'PK\u0003\u0004 nothing more', english.fileErrors['damaged-text']('tide.epub')],
  ['tide.txt', 'word '.repeat(100_001), english.fileErrors['text-too-long']('tide.txt')],
] as const)('%s: what is wrong with it is said in a sentence (%#)', async ([name, text, sentence]) => {
  const file = { name, data: Buffer.from(text).toString('base64') };
  const { interactionId } = await scene.client.runCommand({
    personId: room.alice.id,
    channelId: room.text.id,
    command: 'narrate',
    options: { file },
  });
  expect((await room.answered(interactionId)).messages[0]?.content).toBe(sentence);
});

test('as mp3, with its title', async () => {
  const since = now();
  await narrate({ text: 'A short text.\n\nIn two paragraphs.', format: 'mp3' });
  await ended(since);
  const [file] = await files(since);
  expect(file?.name).toBe('1.mp3');
  const bytes = await download(file!.url);
  expect(Buffer.from(bytes.subarray(0, 3)).toString()).toBe('ID3');
  const sound = await played(openMp3, bytes);
  for (const { reply } of await scene.chatRequests(since)) {
    expect(likeness(reply?.wav, base64Wav(sound))).toBeGreaterThanOrEqual(FAITHFUL);
  }
});
