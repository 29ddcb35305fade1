import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import type { SandboxEvent } from '../../src/sandbox/control/protocol.ts';
import { SkippingClock } from '../discord/support/skipping-clock.ts';
import { messagesOf } from '../support/request-body.ts';
import { now, Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { FAITHFUL, likeness } from '../support/sound.ts';

const { gone } = english.call;
const clock = new SkippingClock();
let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start({ clock });
  await scene.client.setModel({ reply: 'Good evening.' });
});

beforeEach(async () => {
  room = await scene.furnish();
  await room.call();
});

afterEach(() => room.leave());

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

test('alone for a minute, it leaves and says so; somebody who comes back in time keeps it there', async () => {
  await scene.client.leave({ personId: room.alice.id });
  await settledVoiceStates();
  clock.skip(50_000);
  await scene.client.join({ personId: room.alice.id, channelId: room.voice.id });
  await settledVoiceStates();
  clock.skip(50_000);
  await answersAloud();

  const since = now();
  await scene.client.leave({ personId: room.alice.id });
  await settledVoiceStates();
  clock.skip(60_000);
  await room.reads(gone.alone, since);
  await botLeft(since);
});

test('disconnected by a moderator, it says so and does not come back by itself', async () => {
  const since = now();
  await scene.client.moveMember({ guildId: room.guildId, userId: room.botId, channelId: null });
  await room.reads(gone.removed, since);
  clock.skip(30_000);
  expect(await room.ask(room.alice, 'leave')).toBe(english.errors['not-in-call']);
  expect(await botVoiceStates(since)).toEqual([null]);
});

test('moved by a moderator, it follows, says so and takes the conversation along', async () => {
  await answersAloud();
  const since = now();
  const balcony = await scene.client.createChannel({ guildId: room.guildId, name: 'Balcony', kind: 'voice' });
  for (const userId of [room.botId, room.alice.id]) {
    await scene.client.moveMember({ guildId: room.guildId, userId, channelId: balcony.id });
  }
  await room.reads(english.call.movedTo(`<#${balcony.id}>`), since);
  await voiceBack(since);
  const request = await answersAloud();
  expect(messagesOf(request)).toHaveLength(3);
});

test('moved to where it may not speak, it leaves and says so', async () => {
  const since = now();
  const library = await scene.client.createChannel({ guildId: room.guildId, name: 'Library', kind: 'voice' });
  await scene.client.setDenied({ channelId: library.id, userId: room.botId, deny: ['SPEAK'] });
  await scene.client.moveMember({ guildId: room.guildId, userId: room.botId, channelId: library.id });
  await room.reads(gone['moved-without-permission'], since);
  await botLeft(since);
});

test('when the voice channel is deleted, it says so', async () => {
  const since = now();
  await scene.client.deleteChannel({ channelId: room.voice.id });
  await room.reads(gone['channel-deleted'], since);
  clock.skip(30_000);
  expect(await room.ask(room.alice, 'leave')).toBe(english.errors['not-in-call']);
  expect(await botVoiceStates(since)).toEqual([null]);
});

test.for(['deleted', 'forbidden'] as const)(
  'when its text channel is %s, its words go on in the voice channel, with the panel',
  async (fate) => {
    const since = now();
    const lost = room;
    if (fate === 'deleted') await scene.client.deleteChannel({ channelId: lost.text.id });
    else await scene.client.setDenied({ channelId: lost.text.id, userId: room.botId, deny: ['SEND_MESSAGES'] });
    const { guildId, voice, alice, bob } = lost;
    room = new Room(scene.client, room.botId, { guildId, text: voice, voice, alice, bob });
    await room.reads(english.call.wordsHere, since);
    const panel = await room.message(({ components }) => components.length > 0, since);
    expect(panel.content).toContain(english.join.listening(`<#${room.voice.id}>`));
    await answersAloud();
    await room.reads('Good evening.', since);
    expect(await botVoiceStates(since)).toEqual([]);
    await room.leave();
    await room.reads(english.panel.ended(`<#${room.voice.id}>`), since);
  },
);

test('when its words can appear nowhere any more, it leaves', async () => {
  const since = now();
  const general = room.text;
  await scene.client.setDenied({ channelId: room.voice.id, userId: room.botId, deny: ['SEND_MESSAGES'] });
  await settledVoiceStates();
  expect(await botVoiceStates(since)).toEqual([]);
  await scene.client.setDenied({ channelId: general.id, userId: room.botId, deny: ['SEND_MESSAGES'] });
  await botLeft(since);
});

test('when the server is gone, so is the call, and the other servers notice nothing', async () => {
  const other = room;
  room = await scene.furnish();
  await room.call();
  const since = now();
  await scene.client.deleteGuild({ guildId: other.guildId });
  await expect
    .poll(() => scene.logged('call ended').filter(({ guild }) => guild === other.guildId), { timeout: 15_000 })
    .toHaveLength(1);
  await answersAloud();
  expect(await botVoiceStates(since)).toEqual([]);
});

test('muted by a moderator, it says that it answers in writing, and does', async () => {
  const since = now();
  await scene.client.setServerVoice({ guildId: room.guildId, userId: room.botId, serverMute: true });
  await room.reads(english.call.serverMuted, since);
  await room.say(room.alice, 'Hello there.');
  await room.reads('Good evening.', since);
  await scene.client.setServerVoice({ guildId: room.guildId, userId: room.botId, serverMute: false });
  await answersAloud();
});

test('whom a moderator has muted is not heard', async () => {
  const since = now();
  await scene.client.join({ personId: room.bob.id, channelId: room.voice.id });
  await scene.client.setServerVoice({ guildId: room.guildId, userId: room.bob.id, serverMute: true });
  await room.say(room.bob, 'Can anybody hear me?', 'rms');
  const request = await answersAloud();
  expect(request.audio).toHaveLength(1);
  expect(await scene.chatRequests(since)).toHaveLength(1);
});

test.for([{ kind: 'cut' }, { kind: 'reconnect' }] as const)(
  'the main gateway is interrupted ($kind) in mid-reply: the voice goes on',
  async (fault) => {
    const since = now();
    await scene.client.setModel({ reply: 'This answer takes a little while to say.' });
    const said = await room.say(room.alice, 'Hello there.');
    await room.botSpeaking(true, said.lastVoicePacketAtMs);
    await scene.client.gatewayFault(fault);
    const reply = await room.replied(said);
    expect(likeness(reply.request.reply?.wav, reply.heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
    await scene.client.waitFor(({ type }) => type === 'bot-online', { since });
    await scene.client.setModel({ reply: 'Good evening.' });
    await answersAloud();
    expect(await botVoiceStates(since)).toEqual([]);
  },
);

test('a main session that is lost for good costs the call a moment, and it says so', async () => {
  const since = now();
  await scene.client.gatewayFault({ kind: 'invalid-session', resumable: false });
  await voiceBack(since);
  await room.reads(english.call.recovered, since);
  await answersAloud();
});

test('a call that has ended while Discord could not be told is left when the gateway is there again', async () => {
  const since = now();
  const place = { guild_id: room.guildId, user_id: room.botId, session_id: 'before' };
  const self = { mute: false, deaf: false, self_mute: false, self_deaf: false, self_video: false, suppress: false };
  const stand = (channelId: string | null) =>
    scene.client.gatewayFault({
      kind: 'dispatch',
      event: 'VOICE_STATE_UPDATE',
      data: { ...place, ...self, channel_id: channelId },
    });
  await stand(null);
  await room.reads(gone.removed, since);
  await stand(room.voice.id);
  expect(await botVoiceStates(since)).toEqual([]);
  await scene.client.gatewayFault({ kind: 'cut' });
  await botLeft(since);
});

test.for([4015, 4006, 4009])('the voice socket closes with %i: it is back, and answers', async (code) => {
  const since = now();
  await scene.client.voiceFault({ kind: 'close', code });
  await voiceBack(since);
  await answersAloud();
});

test('the voice socket is cut: it is back, and answers', async () => {
  const since = now();
  await scene.client.voiceFault({ kind: 'cut' });
  await voiceBack(since);
  await answersAloud();
});

test('the call moves to another voice server: nobody is told, and the next turn is answered', async () => {
  const since = now();
  await scene.client.voiceFault({ kind: 'move-server' });
  await voiceBack(since);
  await answersAloud();
  expect((await room.messages()).map(({ content }) => content)).not.toContain(english.call.recovered);
});

test.for([
  [4017, gone['encryption-required']],
  [4014, gone.removed],
] as const)('the voice socket closes with %i: it gives up and says why', async ([code, sentence]) => {
  const since = now();
  await scene.client.voiceFault({ kind: 'close', code });
  await scene.client.waitFor((event) => event.type === 'bot-voice-gone' && event.guildId === room.guildId, { since });
  await expect
    .poll(() => scene.logged('voice socket closed').filter(({ guild }) => guild === room.guildId))
    .toHaveLength(1);
  clock.skip(5000);
  await room.reads(sentence, since);
  expect(await room.ask(room.alice, 'leave')).toBe(english.errors['not-in-call']);
});

test('the voice socket closes with 4021: it asks for patience, and does not try again for a minute', async () => {
  const since = now();
  await scene.client.voiceFault({ kind: 'close', code: 4021 });
  await room.reads(gone['rate-limited'], since);
  expect(await room.ask(room.alice, 'join')).toBe(gone['rate-limited']);
  expect((await botVoiceStates(since)).filter((channelId) => channelId !== null)).toEqual([]);
  clock.skip(60_000);
  await room.call();
  await answersAloud();
});

test('a voice server that stays away: after some tries it gives up, leaves and says so', async () => {
  const since = now();
  await scene.client.gatewayFault({ kind: 'voice-server-update', mode: 'withhold', times: 20 });
  await scene.client.voiceFault({ kind: 'close', code: 4006 });
  const told = room.reads(gone['connection-lost'], since);
  const over = new AbortController();
  void told.finally(() => over.abort());
  while (!over.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.skip(1000);
  }
  await told;
  await botLeft(since);
  await scene.client.gatewayFault({ kind: 'voice-server-update', mode: 'withhold', times: 0 });
});

test('called to another channel of the server, it goes there', async () => {
  const since = now();
  const balcony = await scene.client.createChannel({ guildId: room.guildId, name: 'Balcony', kind: 'voice' });
  await scene.client.join({ personId: room.alice.id, channelId: balcony.id });
  expect(await room.ask(room.alice, 'join')).toContain(english.join.listening(`<#${balcony.id}>`));
  await answersAloud();
  expect(await botVoiceStates(since)).toEqual([null, balcony.id]);
});

/** Alice says something and hears the whole answer. */
async function answersAloud() {
  const { said, reply } = await room.turn();
  expect(likeness(said.wav, reply.request.audio.at(-1)?.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  expect(likeness(reply.request.reply?.wav, reply.heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  return reply.request;
}

/** The channels the bot was in since then, in order; `null` for none. */
async function botVoiceStates(since: number): Promise<(string | null)[]> {
  const states: (string | null)[] = [];
  const seen = await voiceStates(since);
  for (const event of seen) states.push(event.channelId);
  return states;
}

async function voiceStates(since: number) {
  await settledVoiceStates();
  return scene.history.filter(
    (event): event is Extract<SandboxEvent, { type: 'voice-state' }> =>
      event.type === 'voice-state' &&
      event.userId === room.botId &&
      event.guildId === room.guildId &&
      event.atMs >= since,
  );
}

function botLeft(since: number): Promise<SandboxEvent> {
  return scene.client.waitFor(
    (event) => event.type === 'voice-state' && event.userId === room.botId && event.channelId === null,
    { since },
  );
}

/** The bot's voice connection is lost, and then there again. */
async function voiceBack(since: number): Promise<void> {
  const lost = await scene.client.waitFor(
    (event) => event.type === 'bot-voice-gone' && event.guildId === room.guildId,
    { since },
  );
  await voiceReady(lost.atMs);
}

function voiceReady(since: number): Promise<SandboxEvent> {
  return scene.client.waitFor((event) => event.type === 'bot-voice-ready' && event.guildId === room.guildId, { since });
}

/** Whatever the sandbox has told the bot so far has arrived: events keep their order, and a command comes behind them. */
async function settledVoiceStates(): Promise<void> {
  await room.ask(room.bob, 'help');
}
