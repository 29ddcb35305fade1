import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import type { MessageSnapshot, Upload } from '../../src/sandbox/control/protocol.ts';
import { messagesOf, newestTurn } from '../support/request-body.ts';
import { now, type Person, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { FAITHFUL, likeness } from '../support/sound.ts';

let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start();
});

beforeEach(async () => {
  room = await scene.furnish();
  await scene.client.setModel({ reply: 'Good evening.' });
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

function write(person: Person, content: string, attachments: Upload[] = []): Promise<MessageSnapshot> {
  return scene.client.sendMessage({ personId: person.id, channelId: room.text.id, content, attachments });
}

/** The bot's next message in the channel. */
function replied(since: number): Promise<MessageSnapshot> {
  return room.message(({ authorId, createdAtMs }) => authorId === room.botId && createdAtMs >= since, since);
}

const mention = (): string => `<@${room.botId}>`;

test('a message that mentions it is answered as a reply, in the channel’s conversation', async () => {
  await room.ask(room.bob, 'ask', { prompt: 'The password is swordfish.' });
  const since = now();
  const { id } = await write(room.alice, `${mention()}, what did <@${room.bob.id}> say?`);
  const reply = await replied(since);
  expect(reply).toMatchObject({ repliesTo: id, content: 'Good evening.', ephemeral: false, pinged: [] });
  const request = await room.request(since);
  expect(newestTurn(request).join(' ')).toMatch(/^Alice: , what did @Bob say\?$/);
  expect(messagesOf(request)).toHaveLength(3);
  expect(await room.ask(room.bob, 'ask', { prompt: 'And now?' })).toBe('Good evening.');
  expect(messagesOf((await scene.chatRequests(since)).at(-1) ?? request)).toHaveLength(5);
});

test('a message that does not mention it, one to everyone, and one from a bot are none of its business', async () => {
  const since = now();
  const bot = await scene.client.createPerson({ guildId: room.guildId, name: 'Music', bot: true });
  await write(room.alice, 'Hello, Parley.');
  await write(room.alice, '@everyone hello');
  await write(bot, `${mention()} hello`);
  await write(room.alice, `${mention()} and you?`);
  await replied(since);
  expect(await scene.chatRequests(since)).toHaveLength(1);
});

test('sound is heard, with words and without; a picture beside words is left alone', async () => {
  const wav = await room.recording('What time is it?');
  const sound = { name: 'question.wav', contentType: 'audio/wav', data: wav };
  for (const words of [mention(), `${mention()} what is said here?`]) {
    const since = now();
    await write(room.alice, words, [sound]);
    expect((await replied(since)).content).toBe('Good evening.');
    const request = await room.request(since);
    expect(likeness(wav, request.audio.at(-1)?.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  }
  const picture = { name: 'cat.png', contentType: 'image/png', data: Buffer.from('no sound').toString('base64') };
  const since = now();
  await write(room.bob, `${mention()} look at my cat`, [picture]);
  expect((await replied(since)).content).toBe('Good evening.');
  const again = now();
  await write(room.bob, mention(), [picture]);
  expect((await replied(again)).content).toBe(english.fileErrors.unsupported('cat.png'));
});

test('nothing but the mention is answered kindly, without the model', async () => {
  const since = now();
  await write(room.alice, mention());
  expect((await replied(since)).content).toBe(english.mention.empty);
  await room.call();
  const inCall = now();
  await write(room.alice, `  ${mention()} `);
  expect((await replied(inCall)).content).toBe(english.mention.listening);
  expect(await scene.chatRequests(since)).toEqual([]);
  await room.leave();
});

test('in a call it is one conversation with what is spoken', async () => {
  await room.call();
  await room.turn('My name is Alice.');
  const since = now();
  await write(room.alice, `${mention()} what is my name?`);
  await replied(since);
  expect(messagesOf(await room.request(since))).toHaveLength(3);
  await room.leave();
});

test('a model that fails is told as a reply', async () => {
  await scene.client.modelFault({ fault: { kind: 'status', status: 410 }, times: 1, endpoint: 'chat' });
  const since = now();
  await write(room.alice, `${mention()} hello`);
  expect((await replied(since)).content).toBe(english.modelErrors.retired);
});

test('a flood gets the answers there is room for, and is asked for patience once', async () => {
  await scene.client.setModel({ firstAudioMs: 1500 });
  const since = now();
  await Promise.all(Array.from({ length: 12 }, (_, index) => write(room.bob, `${mention()} number ${index}`)));
  await expect
    .poll(
      async () =>
        (await room.messages()).filter(
          ({ authorId, content }) => authorId === room.botId && content === 'Good evening.',
        ),
      { timeout: 20_000 },
    )
    .toHaveLength(4);
  const ours = (await room.messages()).filter(({ authorId }) => authorId === room.botId);
  expect(ours.filter(({ content }) => content === english.errors.busy)).toHaveLength(1);
  expect(ours).toHaveLength(5);
  expect(await scene.chatRequests(since)).toHaveLength(4);
  await scene.client.setModel({ firstAudioMs: 60 });
});

test('where it may not write it stays silent', async () => {
  await scene.client.setDenied({ channelId: room.text.id, userId: room.botId, deny: ['SEND_MESSAGES'] });
  const since = now();
  await write(room.alice, `${mention()} hello`);
  await expect.poll(() => scene.logged('mentioned where it may not write')).toHaveLength(1);
  expect(await scene.chatRequests(since)).toEqual([]);
});
