import { type Client, Events } from 'discord.js';
import { expect, test } from 'vitest';
import { nextEvent, TestWorld } from './test-world.ts';

/** What reaches the bot's voice adapter, as `state channel` and `server token`. */
function adapterEvents(client: Client): string[] {
  const events: string[] = [];
  client.on(Events.Raw, (packet: { t: string; d: Record<string, unknown> }) => {
    if (packet.t === 'VOICE_STATE_UPDATE' && packet.d['user_id'] === client.user?.id) {
      events.push(`state ${String(packet.d['channel_id'])}`);
    }
    if (packet.t === 'VOICE_SERVER_UPDATE') events.push(`server ${String(packet.d['token'])}`);
  });
  return events;
}

function request(client: Client, guildId: string, channelId: string | null, selfDeaf = false): void {
  client.guilds.cache.get(guildId)?.shard.send({
    op: 4,
    d: { guild_id: guildId, channel_id: channelId, self_mute: false, self_deaf: selfDeaf },
  });
}

async function started() {
  const world = await TestWorld.start();
  const client = await world.bot();
  const events = adapterEvents(client);
  const voiceState = (userId: string, channelId: string | null) =>
    world.control.waitFor((one) => one.type === 'voice-state' && one.userId === userId && one.channelId === channelId);
  return { world, client, events, voiceState, botId: client.user.id };
}

test('the bot joins, is told its voice server, and leaves', async () => {
  const { world, client, events, voiceState, botId } = await started();
  await using _ = world;
  request(client, world.guildId, world.loungeId, true);
  await voiceState(botId, world.loungeId);
  await expect.poll(() => events).toEqual([`state ${world.loungeId}`, 'server voice-token-1']);
  expect(world.voice.members.get(botId)).toMatchObject({ channelId: world.loungeId, muted: false, deafened: true });
  request(client, world.guildId, null);
  await voiceState(botId, null);
  await expect.poll(() => events.at(-1)).toBe('state null');
  expect(world.voice.told).toEqual(['admit-bot', 'remove-bot quietly']);
});

test('while its voice socket is up, a changed switch brings no new voice server; a lost one does', async () => {
  const { world, client, events, botId } = await started();
  await using _ = world;
  request(client, world.guildId, world.loungeId);
  await expect.poll(() => events.length).toBe(2);
  world.discord.setVoiceConnected(world.guildId, true);
  request(client, world.guildId, world.loungeId, true);
  await expect.poll(() => world.voice.members.get(botId)?.deafened).toBe(true);
  await expect.poll(() => events.length).toBe(3);
  world.discord.setVoiceConnected(world.guildId, false);
  request(client, world.guildId, world.loungeId, true);
  await expect.poll(() => events.at(-1)).toBe('server voice-token-3');
});

test('a full or forbidden channel is answered by nothing at all', async () => {
  const { world, client, events, botId } = await started();
  await using _ = world;
  const { id: small } = await world.control.createChannel({
    guildId: world.guildId,
    name: 'small',
    kind: 'voice',
    userLimit: 1,
  });
  await world.control.join({ personId: world.alice, channelId: small });
  await expect(world.control.join({ personId: world.bob, channelId: small })).rejects.toThrow('small is full.');
  await world.control.setDenied({ channelId: world.loungeId, userId: botId, deny: ['CONNECT'] });
  request(client, world.guildId, small);
  request(client, world.guildId, world.loungeId);
  request(client, world.guildId, world.textId);
  // Frames are read in order: an answer to the next one means that those before it had none.
  const members = nextEvent(client, Events.GuildMembersChunk);
  client.guilds.cache.get(world.guildId)?.shard.send({ op: 8, d: { guild_id: world.guildId, query: 'Al', limit: 1 } });
  expect([...(await members)[0].keys()]).toEqual([world.alice]);
  expect(events).toEqual([]);
});

test('a moderator moves, mutes and disconnects', async () => {
  const { world, client, events, botId } = await started();
  await using _ = world;
  const { id: other } = await world.control.createChannel({ guildId: world.guildId, name: 'other', kind: 'voice' });
  request(client, world.guildId, world.loungeId);
  await expect.poll(() => events.length).toBe(2);
  await world.control.moveMember({ guildId: world.guildId, userId: botId, channelId: other });
  await expect.poll(() => events.slice(2)).toEqual([`state ${other}`, 'server voice-token-3']);
  await world.control.setServerVoice({ guildId: world.guildId, userId: botId, serverMute: true, serverDeaf: true });
  expect(world.voice.members.get(botId)).toMatchObject({ muted: true, deafened: true });
  await world.control.moveMember({ guildId: world.guildId, userId: botId, channelId: null });
  expect(world.voice.told).toEqual(['admit-bot', 'remove-bot 4014', 'admit-bot', 'update-bot', 'remove-bot 4014']);
  await expect(world.control.moveMember({ guildId: world.guildId, userId: botId, channelId: other })).rejects.toThrow(
    'Parley is in no voice channel.',
  );
});

test('people come and go before the eyes of the bot', async () => {
  const { world, client } = await started();
  await using _ = world;
  const next = () => nextEvent(client, Events.VoiceStateUpdate);
  let changed = next();
  await world.control.join({ personId: world.alice, channelId: world.loungeId, selfMute: true });
  expect((await changed)[1]).toMatchObject({ channelId: world.loungeId, selfMute: true });
  expect((await changed)[1].member?.displayName).toBe('Alice');
  expect(world.voice.members.get(world.alice)).toMatchObject({ muted: true, deafened: false });
  changed = next();
  await world.control.setSelfVoice({ personId: world.alice, selfMute: false, selfDeaf: true });
  expect((await changed)[1]).toMatchObject({ selfMute: false, selfDeaf: true });
  expect(world.voice.members.get(world.alice)).toMatchObject({ muted: false, deafened: true });
  changed = next();
  await world.control.leave({ personId: world.alice });
  expect((await changed)[1].channelId).toBeNull();
  expect(world.voice.told).toEqual(['add-person', 'update-person', 'remove-person']);
  await expect(world.control.leave({ personId: world.alice })).rejects.toThrow('Alice is in no voice channel.');
});

test('who may not speak is suppressed, from the start or from the moment it is taken away', async () => {
  const { world } = await started();
  await using _ = world;
  const { id: stage } = await world.control.createChannel({ guildId: world.guildId, name: 'stage', kind: 'stage' });
  await world.control.join({ personId: world.alice, channelId: stage });
  expect(world.voice.members.get(world.alice)?.muted).toBe(true);
  await world.control.setServerVoice({ guildId: world.guildId, userId: world.alice, suppress: false });
  expect(world.voice.members.get(world.alice)?.muted).toBe(false);
  await world.control.join({ personId: world.bob, channelId: world.loungeId });
  await world.control.setDenied({ channelId: world.loungeId, userId: world.bob, deny: ['SPEAK'] });
  expect(world.voice.members.get(world.bob)?.muted).toBe(true);
});

test('with its channel or its session the bot loses the call', async () => {
  const { world, client, events, botId, voiceState } = await started();
  await using _ = world;
  const { id: other } = await world.control.createChannel({ guildId: world.guildId, name: 'other', kind: 'voice' });
  request(client, world.guildId, other);
  await expect.poll(() => events.length).toBe(2);
  await world.control.deleteChannel({ channelId: other });
  await expect.poll(() => events.at(-1)).toBe('state null');
  request(client, world.guildId, world.loungeId);
  await voiceState(botId, world.loungeId);
  await world.control.gatewayFault({ kind: 'invalid-session', resumable: false });
  expect(world.voice.told).toEqual(['admit-bot', 'remove-bot 4022', 'admit-bot', 'remove-bot 4014']);
});

test('a cut gateway leaves the call alone', async () => {
  const { world, client, events } = await started();
  await using _ = world;
  request(client, world.guildId, world.loungeId);
  await expect.poll(() => events.length).toBe(2);
  const resumed = nextEvent(client, Events.ShardResume);
  await world.control.gatewayFault({ kind: 'cut' });
  await resumed;
  expect(world.voice.told).toEqual(['admit-bot']);
  world.discord.announceVoiceServer(world.guildId, 'moved', 'elsewhere:1');
  await expect.poll(() => events.at(-1)).toBe('server moved');
});

test('voice server updates can be withheld or come without an endpoint', async () => {
  const { world, client } = await started();
  await using _ = world;
  const endpoints: unknown[] = [];
  client.on(Events.Raw, (packet: { t: string; d: Record<string, unknown> }) => {
    if (packet.t === 'VOICE_SERVER_UPDATE') endpoints.push(packet.d['endpoint']);
  });
  await world.control.gatewayFault({ kind: 'voice-server-update', mode: 'withhold', times: 1 });
  request(client, world.guildId, world.loungeId);
  await expect.poll(() => world.voice.told.length).toBe(1);
  await world.control.gatewayFault({ kind: 'voice-server-update', mode: 'null-endpoint', times: 1 });
  request(client, world.guildId, world.loungeId);
  await expect.poll(() => endpoints).toEqual([null]);
  request(client, world.guildId, world.loungeId);
  await expect.poll(() => endpoints).toEqual([null, '127.0.0.1:1']);
});

test('on a stage the bot may ask to speak; stepping up itself needs MUTE_MEMBERS', async () => {
  const { world, client } = await started();
  await using _ = world;
  const { id: stage } = await world.control.createChannel({ guildId: world.guildId, name: 'stage', kind: 'stage' });
  request(client, world.guildId, stage);
  await expect.poll(() => client.guilds.cache.get(world.guildId)?.members.me?.voice.suppress).toBe(true);
  const path = `/guilds/${world.guildId}/voice-states/@me`;
  const patch = (body: object) => world.fetch(path, { method: 'PATCH', body: JSON.stringify(body) });
  expect((await patch({ request_to_speak_timestamp: new Date().toISOString() })).status).toBe(204);
  expect((await patch({ suppress: false })).status).toBe(403);
});
