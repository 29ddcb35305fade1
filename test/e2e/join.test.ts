import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import { now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';

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

/** The bot answers with this sentence, and does not try to get in. */
async function refuses(
  sentence: string,
  options: Record<string, string> = {},
  channelId = room.text.id,
): Promise<void> {
  const since = now();
  expect(await room.ask(room.alice, 'join', options, channelId)).toBe(sentence);
  expect(await room.ask(room.alice, 'leave', {}, channelId)).toBe(english.errors['not-in-call']);
  const joined = scene.history.filter(
    (event) => event.type === 'voice-state' && event.userId === room.botId && event.atMs >= since,
  );
  expect(joined).toEqual([]);
}

test('/join says in the channel that it listens, before anything is heard, and what is kept', async () => {
  await scene.client.join({ personId: room.alice.id, channelId: room.voice.id });
  const { messages } = await room.run(room.alice, 'join');
  expect(messages).toHaveLength(1);
  expect(messages[0]?.ephemeral).toBe(false);
  expect(messages[0]?.content).toContain(english.join.listening(`<#${room.voice.id}>`));
  expect(messages[0]?.content).toMatch(/listening.*language model.*remember/s);
  expect(await room.ask(room.alice, 'join')).toBe(english.join.alreadyHere(`<#${room.voice.id}>`));
  await room.leave();
});

test('/join with nobody in a voice channel asks for one', () => refuses(english.errors['no-voice-channel']));

test('/join in a stage channel asks for an ordinary one', async () => {
  const { guildId } = room;
  const stage = await scene.client.createChannel({ guildId, name: 'Stage', kind: 'stage' });
  await refuses(english.errors['not-a-voice-channel'], { channel: stage.id });
});

test('/join into an empty channel says that nobody is there', () =>
  refuses(english.errors['nobody-there'], { channel: room.voice.id }));

test('/join where only a bot is says that nobody is there', async () => {
  const music = await scene.client.createPerson({ guildId: room.guildId, name: 'Music', bot: true });
  await scene.client.join({ personId: music.id, channelId: room.voice.id });
  await refuses(english.errors['nobody-there'], { channel: room.voice.id });
});

test('/join into a full channel says so', async () => {
  const { guildId } = room;
  const closet = await scene.client.createChannel({ guildId, name: 'Closet', kind: 'voice', userLimit: 1 });
  await scene.client.join({ personId: room.bob.id, channelId: closet.id });
  await refuses(english.errors['channel-full'], { channel: closet.id });
});

test.for([
  ['VIEW_CHANNEL', 'View Channel'],
  ['CONNECT', 'Connect'],
  ['SPEAK', 'Speak'],
] as const)('/join without %s in the voice channel names it', async ([permission, name]) => {
  await scene.client.join({ personId: room.alice.id, channelId: room.voice.id });
  await scene.client.setDenied({ channelId: room.voice.id, userId: room.botId, deny: [permission] });
  await refuses(english.missingPermissions(`<#${room.voice.id}>`, [name]), { channel: room.voice.id });
});

test.for([
  ['VIEW_CHANNEL', ['View Channel']],
  ['SEND_MESSAGES', ['Send Messages']],
] as const)('/join without %s in the text channel names it', async ([permission, names]) => {
  await scene.client.join({ personId: room.alice.id, channelId: room.voice.id });
  await scene.client.setDenied({ channelId: room.text.id, userId: room.botId, deny: [permission] });
  await refuses(english.missingPermissions(`<#${room.text.id}>`, names));
});

test('everything that is missing is named at once', async () => {
  await scene.client.join({ personId: room.alice.id, channelId: room.voice.id });
  await scene.client.setDenied({ channelId: room.voice.id, userId: room.botId, deny: ['CONNECT', 'SPEAK'] });
  await refuses(english.missingPermissions(`<#${room.voice.id}>`, ['Connect', 'Speak']));
});

test('who may not enter a channel cannot have it listened to, nor read what was said there', async () => {
  await scene.client.join({ personId: room.bob.id, channelId: room.voice.id });
  await scene.client.setDenied({ channelId: room.voice.id, userId: room.alice.id, deny: ['CONNECT'] });
  await refuses(english.errors['may-not-enter'], { channel: room.voice.id });
  expect(await room.ask(room.bob, 'join')).toContain(english.join.listening(`<#${room.voice.id}>`));
  expect(await room.ask(room.alice, 'memory')).toBe(english.errors['may-not-enter']);
  expect(await room.ask(room.bob, 'memory')).toBe(english.memory.nothing);
  await room.leave();
});

test('whoever cannot see where the words appear is told in the voice channel, once', async () => {
  await scene.client.join({ personId: room.alice.id, channelId: room.voice.id });
  await scene.client.setDenied({ channelId: room.text.id, userId: room.bob.id, deny: ['VIEW_CHANNEL'] });
  expect(await room.ask(room.alice, 'join')).toContain(english.join.listening(`<#${room.voice.id}>`));
  expect(await scene.client.messages({ channelId: room.voice.id })).toEqual([]);
  const told = english.join.listeningUnseen(`<#${room.voice.id}>`);
  for (let times = 0; times < 2; times++) {
    await scene.client.join({ personId: room.bob.id, channelId: room.voice.id });
    await scene.client.waitFor((event) => event.type === 'message-created' && event.message.content === told);
    await scene.client.leave({ personId: room.bob.id });
  }
  await room.leave();
  expect(await scene.client.messages({ channelId: room.voice.id })).toHaveLength(1);
});

test('disconnected while it still says that it listens, it says so and is away', async () => {
  await scene.client.join({ personId: room.alice.id, channelId: room.voice.id });
  const since = now();
  const slow = { route: 'PATCH /webhooks/.*/messages/@original', times: 1, status: 200, delayMs: 1500 };
  await scene.client.restFault(slow);
  const answer = room.ask(room.alice, 'join');
  await scene.client.waitFor((event) => event.type === 'bot-voice-ready' && event.guildId === room.guildId, { since });
  await scene.client.moveMember({ guildId: room.guildId, userId: room.botId, channelId: null });
  expect(await answer).toContain(english.join.listening(`<#${room.voice.id}>`));
  await room.reads(english.call.gone.removed, since);
  expect(await room.ask(room.alice, 'leave')).toBe(english.errors['not-in-call']);
});

test('two people who call it at the same moment get one bot, and both an answer', async () => {
  for (const person of [room.alice, room.bob]) {
    await scene.client.join({ personId: person.id, channelId: room.voice.id });
  }
  const answers = await Promise.all([room.ask(room.alice, 'join'), room.ask(room.bob, 'join')]);
  const channel = `<#${room.voice.id}>`;
  expect(answers.toSorted()).toEqual([
    english.join.alreadyHere(channel),
    expect.stringContaining(english.join.listening(channel)),
  ]);
  await room.leave();
});

test('called and sent away at once, it is away in the end', async () => {
  await scene.client.join({ personId: room.alice.id, channelId: room.voice.id });
  const answers = await Promise.all([room.ask(room.alice, 'join'), room.ask(room.bob, 'leave')]);
  expect(answers[1]).toBe(english.call.gone.left);
  expect(await room.ask(room.alice, 'leave')).toBe(english.errors['not-in-call']);
});

test('/leave without a call says that there is none', async () => {
  expect(await room.ask(room.alice, 'leave')).toBe(english.errors['not-in-call']);
});

test('/help shows every command to who asks, and to nobody else', async () => {
  const { messages } = await room.run(room.alice, 'help');
  expect(messages).toHaveLength(1);
  expect(messages[0]?.ephemeral).toBe(true);
  const { commands } = await scene.client.world({});
  const slash = commands.filter(({ type }) => type === 1);
  expect(slash.map(({ name }) => name)).toEqual(expect.arrayContaining(['join', 'leave', 'ask', 'help']));
  for (const { name, description } of slash)
    expect(messages[0]?.content).toContain(`\`/${String(name)}\`: ${String(description)}`);
  expect(await room.messages()).toEqual([]);
});
