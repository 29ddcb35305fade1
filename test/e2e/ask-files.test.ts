import { afterAll, beforeAll, expect, test } from 'vitest';

import { Framer } from '../../src/audio/framer.ts';
import { Mp3Encoder } from '../../src/audio/mp3.ts';
import { encodeVoiceMessage } from '../../src/audio/voice-message.ts';
import { english } from '../../src/language/english.ts';
import type { Upload } from '../../src/sandbox/control/protocol.ts';
import { messagesOf, newestTurn } from '../support/request-body.ts';
import { now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { base64Wav, FAITHFUL, FAITHFUL_MESSAGE, likeness, samplesOf } from '../support/sound.ts';

const MEGABYTE = 1024 * 1024;
const { fileErrors } = english;

let scene: Scene;
let room: Room;
let spoken: Int16Array;

beforeAll(async () => {
  scene = await Scene.start();
  room = scene.home;
  await scene.client.setModel({ reply: 'Good evening.', firstAudioMs: 20, speed: 50 });
  spoken = samplesOf(await room.recording('This is what I wanted to say to you.'));
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

async function mp3Of(samples: Int16Array): Promise<Uint8Array> {
  const encoder = (await Mp3Encoder.load())();
  const framer = new Framer();
  const frames = [...framer.push(samples)];
  const rest = framer.flush();
  if (rest) frames.push(rest);
  return Buffer.concat([...frames.map((frame) => encoder.encode(frame)), encoder.finish()]);
}

function upload(name: string, bytes: Uint8Array, more: Partial<Upload> = {}): Upload {
  return { name, data: Buffer.from(bytes).toString('base64'), ...more };
}

const GOOD: [string, number, () => Upload | Promise<Upload>][] = [
  ['a wav file', FAITHFUL, () => ({ name: 'said.wav', data: base64Wav(spoken) })],
  ['an mp3 file', FAITHFUL, async () => upload('said.mp3', await mp3Of(spoken))],
  ['a Discord voice message', FAITHFUL_MESSAGE, () => upload('voice-message.ogg', encodeVoiceMessage(spoken).file)],
  [
    'a wav file by another name',
    FAITHFUL,
    () => ({ name: 'notes.txt', contentType: 'text/plain', data: base64Wav(spoken) }),
  ],
];

test.for(GOOD)('%s reaches the model as it sounds, with the question', async ([, faithful, make]) => {
  const since = now();
  const answer = await room.ask(room.alice, 'ask', { prompt: 'What is this?', file: await make() });
  expect(answer).toBe('Good evening.');
  const [request] = await scene.chatRequests(since);
  if (!request) throw new Error('the model was not asked');
  const [label, index] = newestTurn(request);
  expect(label).toBe('Alice: What is this?');
  expect(likeness(base64Wav(spoken), request.audio[Number(index)]?.wav)).toBeGreaterThanOrEqual(faithful);
});

test('sound is answered by voice too', async () => {
  const since = now();
  const file = { name: 'said.wav', data: base64Wav(spoken) };
  expect(await room.ask(room.bob, 'ask', { prompt: 'And this?', file, reply: 'voice' })).toBe('Good evening.');
  const { attachments } = await room.message(({ voiceMessage }) => voiceMessage, since);
  expect(attachments[0]?.durationSecs).toBeGreaterThan(0.5);
});

const BAD: [string, string, () => Upload | Promise<Upload>][] = [
  ['an empty file', fileErrors.empty('empty.wav'), () => upload('empty.wav', new Uint8Array())],
  ['a picture', fileErrors.unsupported('cat.png'), () => upload('cat.png', Buffer.from('89504e470d0a1a0a0000', 'hex'))],
  [
    'a picture that calls itself a song',
    fileErrors.unsupported('song.mp3'),
    () => upload('song.mp3', Buffer.from('89504e470d0a1a0a0000', 'hex'), { contentType: 'audio/mpeg' }),
  ],
  ['a text', fileErrors.unsupported('notes.txt'), () => upload('notes.txt', Buffer.from('Dear diary, it rained.'))],
  [
    'a file over 20 MB',
    fileErrors['too-large']('long.wav'),
    () => upload('long.wav', Buffer.alloc(20 * MEGABYTE + 1, base64Wav(spoken), 'base64')),
  ],
  [
    'a file over 20 MB that claims to be small',
    fileErrors['too-large']('small.wav'),
    () => upload('small.wav', Buffer.alloc(20 * MEGABYTE + 1, base64Wav(spoken), 'base64'), { claimedSize: 1000 }),
  ],
  [
    'a file that claims to be over 20 MB',
    fileErrors['too-large']('large.wav'),
    () => ({ name: 'large.wav', data: base64Wav(spoken), claimedSize: 20 * MEGABYTE + 1 }),
  ],
  [
    'a voice message that is cut off in its first page',
    fileErrors.damaged('voice-message.ogg'),
    () => upload('voice-message.ogg', encodeVoiceMessage(spoken).file.subarray(0, 40)),
  ],
  [
    'a voice message whose packets are rubbish',
    fileErrors.damaged('voice-message.ogg'),
    () => upload('voice-message.ogg', spoilt(encodeVoiceMessage(spoken).file)),
  ],
  [
    'a wav file without sound',
    fileErrors.empty('silent.wav'),
    () => upload('silent.wav', Buffer.from(base64Wav(new Int16Array()), 'base64')),
  ],
];

test.for(BAD)('%s: a clear sentence, and the model is not asked', async ([, sentence, make]) => {
  const since = now();
  expect(await room.ask(room.alice, 'ask', { prompt: 'What is this?', file: await make() })).toBe(sentence);
  expect(await scene.chatRequests(since)).toEqual([]);
});

test('after all that it answers as ever, and nothing of the bad files is in the conversation', async () => {
  const since = now();
  expect(await room.ask(room.alice, 'ask', { prompt: 'All well?' })).toBe('Good evening.');
  const [request] = await scene.chatRequests(since);
  if (!request) throw new Error('the model was not asked');
  expect(messagesOf(request).filter(({ role }) => role === 'user')).toHaveLength(GOOD.length + 2);
});

/** The same file with bytes that are no Opus behind its two heads. */
function spoilt(file: Uint8Array): Uint8Array {
  return Buffer.from(file).fill(0xff, 300);
}
