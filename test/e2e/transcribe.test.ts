import { afterAll, beforeAll, expect, test } from 'vitest';

import { Mp3Encoder } from '../../src/audio/mp3.ts';
import { concatSamples } from '../../src/audio/pcm.ts';
import { encodeWav } from '../../src/audio/wav.ts';
import type {
  AttachmentSnapshot,
  InteractionSnapshot,
  MessageSnapshot,
  SandboxEvent,
} from '../../src/sandbox/control/protocol.ts';
import { silence } from '../audio/sounds.ts';
import { now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { FAITHFUL, likeness, samplesOf } from '../support/sound.ts';

const WORDS = ['The first bird sings.', 'The second door closes.', 'Number three is late.', 'Four people laugh.'];

let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start();
  room = scene.home;
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

function upload(name: string, bytes: Uint8Array): { name: string; data: string } {
  return { name, data: Buffer.from(bytes).toString('base64') };
}

/** The answer to a command once it shows the result, without a button. */
async function resultOf({ messages: [shown] }: InteractionSnapshot): Promise<MessageSnapshot> {
  const event = await scene.client.waitFor(
    (one): one is Extract<SandboxEvent, { type: 'message-created' | 'message-updated' }> =>
      (one.type === 'message-created' || one.type === 'message-updated') &&
      one.message.id === shown?.id &&
      one.message.content !== '' &&
      one.message.components.length === 0,
    { since: 0, timeoutMs: 60_000 },
  );
  return event.message;
}

async function download({ url }: AttachmentSnapshot): Promise<string> {
  return (await fetch(url)).text();
}

async function transcriptionsSince(sinceMs: number): Promise<{ wav: string }[]> {
  const requests = await scene.client.modelRequests({ sinceMs });
  return requests.filter(({ endpoint }) => endpoint === 'transcription').flatMap(({ audio }) => audio);
}

test('a short recording is answered with its words', async () => {
  const wav = await room.recording('Good morning everybody.');
  const since = now();
  const asked = await room.run(room.alice, 'transcribe', { file: upload('memo.wav', Buffer.from(wav, 'base64')) });
  expect((await resultOf(asked)).content).toBe('Good morning everybody.');
  const [sent] = await transcriptionsSince(since);
  expect(likeness(wav, sent?.wav)).toBeGreaterThanOrEqual(FAITHFUL);
});

test("subtitles have the times of what is said, in the file's order, whichever piece is slow or fails once", async () => {
  const spoken = await Promise.all(WORDS.map(async (text) => samplesOf(await room.recording(text))));
  const marks: { fromMs: number; toMs: number }[] = [];
  const sounds: Int16Array[] = [];
  let atMs = 0;
  for (const sound of spoken) {
    sounds.push(silence(2500), sound);
    marks.push({ fromMs: atMs + 2500, toMs: atMs + 2500 + sound.length / 24 });
    atMs += 2500 + sound.length / 24;
  }
  await scene.client.modelFault({ fault: { kind: 'delay', ms: 700 }, times: 1, endpoint: 'transcription' });
  await scene.client.modelFault({
    fault: { kind: 'status', status: 429, retryAfterSecs: 0 },
    times: 2,
    endpoint: 'transcription',
  });
  const file = upload('talk.wav', encodeWav(concatSamples(sounds)));
  const { attachments } = await resultOf(await room.run(room.alice, 'transcribe', { file, format: 'srt' }));
  const [srt] = attachments;
  expect(srt?.name).toBe('talk.srt');
  const cues = (await download(srt!)).trim().split('\n\n');
  expect(cues.map((cue) => cue.split('\n')[2])).toEqual(WORDS);
  cues.forEach((cue, i) => {
    const [from, to] = (cue.split('\n')[1] ?? '').split(' --> ').map(msOf);
    expect(Math.abs((from ?? 0) - (marks[i]?.fromMs ?? 0))).toBeLessThan(300);
    expect(Math.abs((to ?? 0) - (marks[i]?.toMs ?? 0))).toBeLessThan(300);
  });
});

test('the sound of a message is written down, and answered aloud, from its menu', async () => {
  const wav = await room.recording('Is anybody home?');
  const message = await scene.client.sendVoiceMessage({ personId: room.bob.id, channelId: room.text.id, wav });
  const where = { personId: room.alice.id, channelId: room.text.id, messageId: message.id };
  const { interactionId } = await scene.client.runMessageCommand({ ...where, command: 'Transcribe' });
  expect((await resultOf(await room.answered(interactionId))).content).toBe('Is anybody home?');
  const since = now();
  await scene.client.runMessageCommand({ ...where, command: 'Answer aloud' });
  const answer = await room.message(({ authorId, voiceMessage }) => authorId === room.botId && voiceMessage, since);
  expect(answer.attachments[0]?.durationSecs).toBeGreaterThan(0.5);
});

test(
  'a long text is read in a thread, also once the token has run out, and comes as a file in the end',
  { timeout: 120_000 },
  async () => {
    // More than one message takes, in pieces of half a minute.
    const story = ['one', 'two', 'three', 'four', 'five', 'six'].flatMap((number) => [
      `Chapter ${number} begins on a cold morning by the sea, when nobody is awake but the gulls, the bakers and the old man who lights the lamps.`,
      `Then chapter ${number} goes on for quite a while about ships, about rope and tar, and about the people who wait for them, and so it ends.`,
      `Nobody in chapter ${number} knows yet what the next one brings, but the weather is going to change, and there is a letter on its way.`,
    ]);
    const sounds = await Promise.all(story.map(async (text) => samplesOf(await room.recording(text))));
    const encoder = (await Mp3Encoder.load())();
    const sound = concatSamples(sounds.flatMap((samples) => [samples, silence(500)]));
    const file = upload('story.mp3', Buffer.concat([encoder.encode(sound), encoder.finish()]));
    const asked = await room.run(room.alice, 'transcribe', { file });
    await scene.client.ageInteraction({ interactionId: asked.id, byMs: 15 * 60_000 });
    const ended = await resultOf(asked);
    expect(ended.id).toBe(asked.messages[0]?.id);
    const thread = await scene.client.messages({ channelId: ended.id });
    const written = thread.map(({ content }) => content).filter((text) => text !== '');
    expect(written.length).toBeGreaterThan(1);
    expect(oneLine(written.join(' '))).toBe(story.join(' '));
    expect(ended.attachments[0]?.name).toBe('story.txt');
    expect(oneLine(await download(ended.attachments[0]!))).toBe(story.join(' '));
  },
);

test('a transcription is called off by its button, by whoever started it alone', async () => {
  await scene.client.modelFault({ fault: { kind: 'delay', ms: 15_000 }, times: 1, endpoint: 'transcription' });
  const since = now();
  const wav = Buffer.from(await room.recording('This will take a while.'), 'base64');
  const asked = await room.run(room.alice, 'transcribe', { file: upload('slow.wav', wav) });
  const shown = await room.message(({ components }) => components.length > 0, since);
  const customId = /transcribe:cancel-[\w-]+/.exec(JSON.stringify(shown.components))?.[0] ?? '';
  const button = { channelId: room.text.id, messageId: shown.id, customId };
  await scene.client.pressButton({ personId: room.bob.id, ...button });
  await room.message(({ content }) => content.startsWith('Only whoever started this'), since);
  await scene.client.pressButton({ personId: room.alice.id, ...button });
  expect((await resultOf(asked)).content).toBe('This was cancelled.');
});

test.each([
  ['silence', 'quiet.wav', encodeWav(silence(2000)), 'There is only silence in quiet.wav.'],
  ['a playlist', 'song.mp3', Buffer.from('#EXTM3U\nfile:///etc/passwd\n'), 'song.mp3 is not a sound I can play.'],
  ['a file cut in its header', 'cut.wav', encodeWav(silence(100)).subarray(0, 40), 'cut.wav seems to be damaged'],
])('%s is told in a sentence', async (_, name, bytes, sentence) => {
  const asked = await room.run(room.alice, 'transcribe', { file: upload(name, bytes) });
  expect((await resultOf(asked)).content).toContain(sentence);
});

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function msOf(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0, ms = 0] = time.split(/[:,]/).map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}
