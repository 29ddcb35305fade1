import { once } from 'node:events';
import { Client, Events, GatewayIntentBits } from 'discord.js';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ManualClock } from '../../support/manual-clock.ts';
import { nextEvent, onInteraction, PARLEY_INTENTS, TestWorld } from './test-world.ts';

interface Frame {
  op: number;
  t: string | null;
  s: number | null;
  d: Record<string, unknown> & { guilds?: unknown; session_id?: string };
}

/** A gateway client by hand: for what discord.js never does. */
class RawClient implements Disposable {
  readonly frames: Frame[] = [];
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.frames.push(JSON.parse(data.toString())));
  }

  static async open(world: TestWorld): Promise<RawClient> {
    const client = new RawClient(new WebSocket(`ws://${world.discord.cdnHost}/gateway?v=10&encoding=json`));
    await once(client.#socket, 'open');
    return client;
  }

  send(op: number, d: unknown): void {
    this.#socket.send(JSON.stringify({ op, d }));
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  identify(token: string, intents: unknown, shard?: readonly number[]): void {
    this.send(2, { token, intents, properties: {}, ...(shard ? { shard } : {}) });
  }

  async frame(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found) return found;
      await once(this.#socket, 'message');
    }
  }

  async closeCode(): Promise<number> {
    const [code]: unknown[] = await once(this.#socket, 'close');
    return Number(code);
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }
}

test('discord.js finds the guild, its channels and itself', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  const guild = client.guilds.cache.get(world.guildId);
  expect(guild?.name).toBe('Parley Sandbox');
  expect(guild?.channels.cache.map(({ name, type }) => [name, type])).toEqual([
    ['general', 0],
    ['Lounge', 2],
  ]);
  expect(guild?.members.me?.displayName).toBe('Parley');
  expect(guild?.channels.cache.get(world.loungeId)?.permissionsFor(client.user)?.has('Connect')).toBe(true);
  expect((await world.control.world({})).bot).toMatchObject({ id: client.user.id, online: true });
  await client.destroy();
  await world.control.waitFor((event) => event.type === 'bot-offline');
});

describe('close codes', () => {
  const cases: [number, (client: RawClient, token: string) => void][] = [
    [4001, (client) => client.send(99, null)],
    [4002, (client) => client.sendText('{')],
    [4002, (client) => client.sendText(JSON.stringify({ op: 1, d: 'x'.repeat(4096) }))],
    [4003, (client) => client.send(4, { guild_id: '1', channel_id: null })],
    [4004, (client) => client.identify('wrong', 0)],
    [4010, (client, token) => client.identify(token, 0, [2, 2])],
    [4013, (client, token) => client.identify(token, 1 << 30)],
    [4014, (client, token) => client.identify(token, GatewayIntentBits.MessageContent)],
  ];
  test.each(cases)('%i', async (code, misbehave) => {
    await using world = await TestWorld.start();
    using client = await RawClient.open(world);
    misbehave(client, world.discord.token);
    expect(await client.closeCode()).toBe(code);
  });

  test('4005 for identifying twice, 4008 for more than 120 frames a minute', async () => {
    await using world = await TestWorld.start();
    using twice = await RawClient.open(world);
    twice.identify(world.discord.token, 0);
    twice.identify(world.discord.token, 0);
    expect(await twice.closeCode()).toBe(4005);
    using flood = await RawClient.open(world);
    for (let n = 0; n < 121; n += 1) flood.send(1, null);
    expect(await flood.closeCode()).toBe(4008);
    expect(flood.frames.filter(({ op }) => op === 11)).toHaveLength(120);
  });
});

test('a client that stops its heartbeats is cut off', async () => {
  const clock = new ManualClock();
  await using world = await TestWorld.start({ clock });
  using client = await RawClient.open(world);
  const { d } = await client.frame(({ op }) => op === 10);
  expect(d).toMatchObject({ heartbeat_interval: 41_250 });
  clock.advance(80_000);
  client.send(1, null);
  await client.frame(({ op }) => op === 11);
  clock.advance(80_000);
  client.send(1, null);
  clock.advance(2_500);
  expect(await client.closeCode()).toBe(1006);
});

test('shards get their own guilds only', async () => {
  await using world = await TestWorld.start();
  const owner = Number((BigInt(world.guildId) >> 22n) % 2n);
  for (const shard of [0, 1]) {
    using client = await RawClient.open(world);
    client.identify(world.discord.token, 1, [shard, 2]);
    const ready = await client.frame(({ t }) => t === 'READY');
    expect(ready.d.guilds).toHaveLength(shard === owner ? 1 : 0);
  }
});

test('intents decide what is told', async () => {
  await using world = await TestWorld.start();
  using silent = await RawClient.open(world);
  using messages = await RawClient.open(world);
  silent.identify(world.discord.token, PARLEY_INTENTS[0]);
  messages.identify(world.discord.token, GatewayIntentBits.GuildMessages);
  await silent.frame(({ t }) => t === 'GUILD_CREATE');
  await messages.frame(({ t }) => t === 'READY');
  await world.control.sendMessage({ personId: world.alice, channelId: world.textId, content: 'hello' });
  await world.control.join({ personId: world.alice, channelId: world.loungeId });
  await world.control.createChannel({ guildId: world.guildId, name: 'later', kind: 'text' });
  await silent.frame(({ t }) => t === 'CHANNEL_CREATE');
  await messages.frame(({ t }) => t === 'MESSAGE_CREATE');
  expect(silent.frames.map(({ t }) => t)).toEqual([null, 'READY', 'GUILD_CREATE', 'CHANNEL_CREATE']);
  expect(messages.frames.map(({ t }) => t)).toEqual([null, 'READY', 'MESSAGE_CREATE']);
});

test('a cut is survived: what was missed is replayed in order, once', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  await client.application.commands.set([{ name: 'ask', description: 'asks' }]);
  const got: string[] = [];
  const failures = onInteraction(client, async (one) => {
    got.push(one.id);
    if (one.isChatInputCommand()) await one.reply('yes');
  });
  const ask = () => world.control.runCommand({ personId: world.alice, channelId: world.textId, command: 'ask' });
  const sent = [(await ask()).interactionId];
  await world.settled(sent[0] ?? '');
  const resumed = nextEvent(client, Events.ShardResume);
  await world.control.gatewayFault({ kind: 'cut' });
  await world.control.waitFor((event) => event.type === 'bot-offline');
  sent.push((await ask()).interactionId, (await ask()).interactionId);
  await resumed;
  await world.settled(sent[2] ?? '');
  expect(got).toEqual(sent);
  expect(failures).toEqual([]);
});

test.each([
  { kind: 'reconnect' },
  { kind: 'close', code: 4000 },
  { kind: 'invalid-session', resumable: true },
] as const)('after $kind discord.js resumes', async (fault) => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  const back = nextEvent(client, Events.ShardResume);
  await world.control.gatewayFault(fault);
  await back;
  expect((await world.control.world({})).bot.online).toBe(true);
});

test('a session that has ended cannot be resumed', async () => {
  await using world = await TestWorld.start();
  using first = await RawClient.open(world);
  first.identify(world.discord.token, 0);
  const { d } = await first.frame(({ t }) => t === 'READY');
  await world.control.gatewayFault({ kind: 'invalid-session', resumable: false });
  expect((await first.frame(({ op }) => op === 9)).d).toBe(false);
  using second = await RawClient.open(world);
  second.send(6, { token: world.discord.token, session_id: d.session_id, seq: 1 });
  expect((await second.frame(({ op }) => op === 9)).d).toBe(false);
  // The socket whose session ended may identify anew.
  first.identify(world.discord.token, 0);
  await expect.poll(() => first.frames.filter(({ t }) => t === 'READY').length).toBe(2);
});

test('faults reach the client as they are, and need one', async () => {
  await using world = await TestWorld.start();
  await expect(world.control.gatewayFault({ kind: 'cut' })).rejects.toThrow('not connected');
  using client = await RawClient.open(world);
  client.identify(world.discord.token, 0);
  await client.frame(({ t }) => t === 'READY');
  await world.control.gatewayFault({ kind: 'dispatch', event: 'NEVER_HEARD_OF', data: { a: 1 } });
  await world.control.gatewayFault({ kind: 'raw', text: '{"op":1,"d":null,"s":null,"t":null}' });
  expect((await client.frame(({ t }) => t === 'NEVER_HEARD_OF')).d).toEqual({ a: 1 });
  expect(await client.frame(({ op }) => op === 1)).toBeDefined();
});

test('a fatal close code ends discord.js for good', async () => {
  await using world = await TestWorld.start();
  const client = new Client({ intents: PARLEY_INTENTS, rest: { api: world.discord.apiUrl } });
  client.on(Events.Error, () => {});
  const gone = nextEvent(client, Events.ShardDisconnect);
  await client.login(world.discord.token);
  await world.control.waitFor((event) => event.type === 'bot-online');
  await world.control.gatewayFault({ kind: 'close', code: 4014 });
  expect((await gone)[0]).toMatchObject({ code: 4014 });
  await client.destroy();
});

test('an outage takes the guild away and brings it back', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  const unavailable = nextEvent(client, Events.GuildUnavailable);
  await world.control.setGuildAvailable({ guildId: world.guildId, available: false });
  await unavailable;
  expect(client.guilds.cache.get(world.guildId)?.available).toBe(false);
  const available = nextEvent(client, Events.GuildAvailable);
  await world.control.setGuildAvailable({ guildId: world.guildId, available: true });
  await available;
  const created = nextEvent(client, Events.GuildCreate);
  const { id } = await world.control.createGuild({ name: 'Another' });
  expect((await created)[0]).toMatchObject({ id, name: 'Another' });
  const deleted = nextEvent(client, Events.GuildDelete);
  await world.control.deleteGuild({ guildId: id });
  expect((await deleted)[0]).toMatchObject({ id });
});

test('members are sent when asked for by id or name, all of them only with the intent', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  const guild = client.guilds.cache.get(world.guildId);
  const found = await guild?.members.fetch({ user: [world.alice, '1'] });
  expect(found?.map(({ displayName }) => displayName)).toEqual(['Alice']);
  const queried = await guild?.members.fetch({ query: 'bo', limit: 1 });
  expect(queried?.map(({ displayName }) => displayName)).toEqual(['Bob']);
  await using open = await TestWorld.start({ privilegedIntents: GatewayIntentBits.GuildMembers });
  const other = await open.bot([...PARLEY_INTENTS, GatewayIntentBits.GuildMembers]);
  const everyone = await other.guilds.cache.get(open.guildId)?.members.fetch();
  expect(everyone?.map(({ displayName }) => displayName).toSorted()).toEqual(['Alice', 'Bob', 'Owner', 'Parley']);
});
