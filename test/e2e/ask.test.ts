import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import { newestTurn } from '../support/request-body.ts';
import { now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { FAITHFUL_MESSAGE, fetchOgg, likeness } from '../support/sound.ts';

let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start();
});

beforeEach(async () => {
  room = await scene.furnish();
  await scene.client.setModel({ reply: 'Good evening.', firstAudioMs: 20, speed: 50 });
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

test('a written question is answered in writing, where everybody sees it', async () => {
  const { messages, state } = await room.run(room.alice, 'ask', { prompt: 'Are you there?' });
  expect(state).toBe('answered');
  expect(messages.map(({ content, ephemeral, attachments }) => ({ content, ephemeral, attachments }))).toEqual([
    { content: 'Good evening.', ephemeral: false, attachments: [] },
  ]);
  expect(newestTurn((await scene.chatRequests()).at(-1)!)).toEqual(['Alice: Are you there?']);
});

test('an answer longer than a message comes in several, whole and in order', async () => {
  const reply = Array.from({ length: 60 }, (_, i) => `This is sentence number ${i + 1} of a long answer to you.`).join(
    ' ',
  );
  await scene.client.setModel({ reply, textOnly: true });
  const { interactionId } = await scene.client.runCommand({
    personId: room.alice.id,
    channelId: room.text.id,
    command: 'ask',
    options: { prompt: 'Tell me everything.' },
  });
  await expect
    .poll(async () => (await scene.client.interaction({ interactionId })).messages.length, { timeout: 15_000 })
    .toBe(2);
  const { messages } = await scene.client.interaction({ interactionId });
  expect(messages.map(({ content }) => content).join(' ')).toBe(reply);
  await scene.client.setModel({ textOnly: false });
});

test('a spoken answer is a voice message with its true duration and waveform', async () => {
  await scene.client.setModel({ reply: 'Good night, and sleep well, all of you.' });
  const since = now();
  const { messages } = await room.run(room.alice, 'ask', { prompt: 'Say good night.', reply: 'voice' });
  expect(messages[0]?.content).toBe('Good night, and sleep well, all of you.');
  const [attachment] = (await room.message(({ voiceMessage }) => voiceMessage, since)).attachments;
  if (!attachment) throw new Error('there is no sound');
  const sent = (await scene.chatRequests(since))[0]?.reply?.wav;
  const { wav, durationSecs } = await fetchOgg(attachment.url);
  expect(attachment.contentType).toBe('audio/ogg');
  expect(likeness(sent, wav)).toBeGreaterThanOrEqual(FAITHFUL_MESSAGE);
  expect(attachment.durationSecs).toBeCloseTo(durationSecs, 2);
  const waveform = Buffer.from(attachment.waveform ?? '', 'base64');
  expect(waveform.length).toBeGreaterThan(10);
  expect(waveform.length).toBeLessThanOrEqual(256);
  expect(Math.max(...waveform)).toBeGreaterThan(50);
});

test('where it may not send voice messages a spoken answer comes as a file', async () => {
  const since = now();
  await scene.client.setDenied({ channelId: room.text.id, userId: room.botId, deny: ['SEND_VOICE_MESSAGES'] });
  const { messages } = await room.run(room.alice, 'ask', { prompt: 'Say hello.', reply: 'voice' });
  expect(messages[0]?.content).toBe('Good evening.');
  const file = await room.message(({ attachments }) => attachments.length > 0, since);
  expect(file).toMatchObject({ voiceMessage: false, attachments: [{ contentType: 'audio/ogg' }] });
  const sent = (await scene.chatRequests(since))[0]?.reply?.wav;
  const { wav } = await fetchOgg(file.attachments[0]?.url ?? '');
  expect(likeness(sent, wav)).toBeGreaterThanOrEqual(FAITHFUL_MESSAGE);
});

test.for([
  ['ATTACH_FILES', 'Attach Files'],
  ['SEND_MESSAGES', 'Send Messages'],
] as const)('without %s the words are there all the same, and what is missing is named', async ([permission, name]) => {
  await scene.client.setDenied({ channelId: room.text.id, userId: room.botId, deny: [permission] });
  const { interactionId } = await scene.client.runCommand({
    personId: room.alice.id,
    channelId: room.text.id,
    command: 'ask',
    options: { prompt: 'Say hello.', reply: 'voice' },
  });
  const contents = async () =>
    (await scene.client.interaction({ interactionId })).messages.map(({ content }) => content);
  await expect
    .poll(contents, { timeout: 15_000 })
    .toEqual(['Good evening.', english.missingPermissions(`<#${room.text.id}>`, [name])]);
});

test('when its sound cannot be posted, the words of an answer stay', async () => {
  await scene.client.restFault({
    route: 'POST /channels/\\d+/messages',
    times: 1,
    status: 400,
    body: '{"message":"x","code":50035}',
  });
  const { interactionId } = await scene.client.runCommand({
    personId: room.alice.id,
    channelId: room.text.id,
    command: 'ask',
    options: { prompt: 'Say hello.', reply: 'voice' },
  });
  const contents = async () =>
    (await scene.client.interaction({ interactionId })).messages.map(({ content }) => content);
  await expect.poll(contents, { timeout: 15_000 }).toEqual(['Good evening.', english.errors.unexpected]);
});

test('a prompt that is too long is refused kindly, and one just short enough is answered', async () => {
  expect(await room.ask(room.alice, 'ask', { prompt: 'a'.repeat(4001) })).toBe(english.errors['prompt-too-long']);
  expect(await room.ask(room.alice, 'ask', { prompt: 'a'.repeat(4000) })).toBe('Good evening.');
});

test('a prompt of blanks asks for something to answer', async () => {
  expect(await room.ask(room.alice, 'ask', { prompt: ' \u00a0 ' })).toBe(english.errors['prompt-empty']);
});

test('two questions at once are both answered, the second with the first in mind', async () => {
  const since = now();
  const answers = await Promise.all([
    room.ask(room.alice, 'ask', { prompt: 'First?' }),
    room.ask(room.bob, 'ask', { prompt: 'Second?' }),
  ]);
  expect(answers).toEqual(['Good evening.', 'Good evening.']);
  const requests = await scene.chatRequests(since);
  expect(new Set(requests.map((request) => newestTurn(request)[0]))).toEqual(
    new Set(['Alice: First?', 'Bob: Second?']),
  );
  expect(JSON.stringify(requests[1]?.body)).toContain(String(newestTurn(requests[0]!)[0]));
});

test('two channels do not know of each other', async () => {
  await room.ask(room.alice, 'ask', { prompt: 'Remember the number seven.' });
  const other = await scene.client.createChannel({ guildId: room.guildId, name: 'elsewhere', kind: 'text' });
  const since = now();
  await room.ask(room.alice, 'ask', { prompt: 'Which number?' }, other.id);
  expect(JSON.stringify((await scene.chatRequests(since))[0]?.body)).not.toContain('seven');
});

test('more questions than it can take: some are put off, none is left without an answer', async () => {
  await scene.client.setModel({ firstAudioMs: 300 });
  const answers = await Promise.all(
    Array.from({ length: 7 }, (_, i) => room.ask(room.alice, 'ask', { prompt: `Question ${i}?` })),
  );
  const good = answers.filter((answer) => answer === 'Good evening.');
  const busy = answers.filter((answer) => answer === english.errors.busy);
  expect(good.length + busy.length).toBe(7);
  expect(busy.length).toBeGreaterThanOrEqual(1);
  expect(good.length).toBeGreaterThanOrEqual(2);
});

test('a slow model: acknowledged in time, answered when it comes', async () => {
  await scene.client.setModel({ firstAudioMs: 4000 });
  const { state, createdAtMs, acknowledgedAtMs, messages } = await room.run(room.alice, 'ask', { prompt: 'Well?' });
  expect(state).toBe('answered');
  expect((acknowledgedAtMs ?? Infinity) - createdAtMs).toBeLessThan(3000);
  expect(messages[0]?.content).toBe('Good evening.');
});

test('an answer that comes after the token has run out reaches the channel', async () => {
  await scene.client.setModel({ firstAudioMs: 1500 });
  const { interactionId } = await scene.client.runCommand({
    personId: room.alice.id,
    channelId: room.text.id,
    command: 'ask',
    options: { prompt: 'Take your time.' },
  });
  await scene.client.waitFor(
    (event) =>
      event.type === 'interaction-updated' &&
      event.interaction.id === interactionId &&
      event.interaction.state === 'deferred',
  );
  await scene.client.ageInteraction({ interactionId, byMs: 15 * 60_000 });
  await room.reads('Good evening.');
});

test('an answer whose token runs out in the middle reaches the channel whole, and no part of it twice', async () => {
  const sentences = Array.from({ length: 120 }, (_, i) => `Sentence ${i} of a long answer goes on for a while.`);
  await scene.client.setModel({ reply: sentences.join(' '), textOnly: true });
  await scene.client.restFault({
    route: 'POST /webhooks/',
    times: 1,
    status: 401,
    body: JSON.stringify({ code: 50_027, message: 'Invalid Webhook Token' }),
    headers: { 'content-type': 'application/json' },
  });
  const since = now();
  await room.run(room.alice, 'ask', { prompt: 'Tell me everything.' });
  await room.message(({ content }) => content.endsWith(sentences.at(-1) ?? ''), since);
  const written = (await room.messages()).map(({ content }) => content).filter((text) => text.startsWith('Sentence'));
  expect(written.join(' ')).toBe(sentences.join(' '));
});
