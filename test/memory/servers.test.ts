import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { monotonicClock, type Clock } from '../../src/time/clock.ts';
import { startWorld } from '../bench/processes.ts';
import { KEY, open } from '../store/support/stores.ts';
import { ending, hold, incoming } from '../store/support/turns.ts';
import type { Person, Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { BotProcess, homeOf } from './support/bot-process.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** On which what is done every hour is done five times a second. */
const quickHours: Clock = {
  nowMs: () => monotonicClock.nowMs(),
  after: (delayMs, run) => monotonicClock.after(delayMs >= HOUR_MS ? 200 : delayMs, run),
};

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-servers-'));
  file = join(dir, 'parley.db');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** How many turns are kept of channels. */
async function kept(...channels: readonly Pick<Person, 'id'>[]): Promise<number[]> {
  await using store = await open({ kind: 'sqlite', file });
  return await Promise.all(channels.map(async ({ id }) => (await store.conversations.describe(id)).turns));
}

/** The servers whose data is to go. */
async function leaving(): Promise<string[]> {
  await using store = await open({ kind: 'sqlite', file });
  const query = store.parts.dialect.builder.selectFrom('guild_deletions').select('guild_id').compile();
  const [rows] = await store.parts.database.read([query], 'patient');
  return rows.map((row) => row.guild_id);
}

test('what is kept goes with its server, its channel, its thread and its time, and with nothing else', async () => {
  const env = { DATABASE_URL: `sqlite:${file}`, STORE_KEYS: KEY, DELETION_GRACE_DAYS: '0', RETENTION_DAYS: '30' };
  await using scene = await Scene.start({ env, clock: quickHours });
  const { client, home } = scene;
  await client.setModel({ reply: 'Yes.' });
  const left = await scene.furnish();
  const ask = (room: Room, channel: Person): Promise<string> =>
    room.ask(room.alice, 'ask', { prompt: 'Well?' }, channel.id);
  for (const [room, channel] of [
    [home, home.text],
    [home, home.voice],
    [left, left.text],
  ] as const) {
    expect(await ask(room, channel)).toBe('Yes.');
  }
  const thread = { id: `${BigInt(home.text.id) + 1_000_001n}`, name: 'thread' };
  const old = { id: `${BigInt(home.text.id) + 1_000_002n}`, name: 'old' };
  {
    await using store = await open({ kind: 'sqlite', file });
    const { guildId } = home;
    await hold(store, incoming('in-a-thread', { conversationId: thread.id, guildId }), ending({ atMs: Date.now() }));
    // Swept when its time is over, which is long ago.
    const atMs = Date.now() - 31 * DAY_MS;
    await store.turns.record(incoming('old', { conversationId: old.id, guildId, atMs }), ending({ atMs }));
  }
  const rest = [home.text, home.voice];
  await expect.poll(() => kept(...rest, left.text, thread, old), { timeout: 10_000 }).toEqual([1, 1, 1, 1, 0]);

  const data = { id: thread.id, guild_id: home.guildId, parent_id: home.text.id, type: 11, name: 'thread' };
  await client.gatewayFault({ kind: 'dispatch', event: 'THREAD_CREATE', data });
  await client.gatewayFault({ kind: 'dispatch', event: 'THREAD_DELETE', data });
  await expect.poll(() => kept(...rest, left.text, thread), { timeout: 10_000 }).toEqual([1, 1, 1, 0]);

  await client.deleteChannel({ channelId: home.voice.id });
  await expect.poll(() => kept(home.text, home.voice, left.text), { timeout: 10_000 }).toEqual([1, 0, 1]);

  // An outage is no leave, however often it is looked for what is due meanwhile.
  const sweeps = scene.logged('store swept').length;
  await client.setGuildAvailable({ guildId: home.guildId, available: false });
  await client.deleteGuild({ guildId: left.guildId });
  await expect.poll(() => kept(home.text, left.text), { timeout: 10_000 }).toEqual([1, 0]);
  await expect.poll(() => scene.logged('store swept').length, { timeout: 10_000 }).toBeGreaterThan(sweeps + 3);
  expect(await leaving()).toEqual([]);
  await client.setGuildAvailable({ guildId: home.guildId, available: true });
  expect(await kept(home.text)).toEqual([1]);
  await expect.poll(() => home.ask(home.alice, 'memory'), { timeout: 10_000 }).toContain('**1** turn');
});

test('a server that was left while Parley was away is noticed; one with an outage was not left', async () => {
  await using world = await startWorld();
  const { client } = world;
  const home = await homeOf(world);
  await client.setModel({ reply: 'Yes.', firstAudioMs: 0 });
  const { id: guildId } = await client.createGuild({ name: 'Elsewhere' });
  const elsewhere = await client.createChannel({ guildId, name: 'general', kind: 'text' });
  const carol = await client.createPerson({ guildId, name: 'Carol' });
  const env = { DELETION_GRACE_DAYS: '0' };
  {
    await using _before = await BotProcess.start(world, `sqlite:${file}`, env);
    expect(await home.ask(home.alice, 'ask', { prompt: 'Here?' })).toBe('Yes.');
    expect(await home.ask(carol, 'ask', { prompt: 'There?' }, elsewhere.id)).toBe('Yes.');
  }
  await client.deleteGuild({ guildId });
  await client.setGuildAvailable({ guildId: home.guildId, available: false });
  {
    // Discord's client waits fifteen seconds for servers that have an outage.
    await using _noticing = await BotProcess.start(world, `sqlite:${file}`, env);
    await expect.poll(leaving, { timeout: 10_000 }).toEqual([guildId]);
  }
  await client.setGuildAvailable({ guildId: home.guildId, available: true });
  await using _after = await BotProcess.start(world, `sqlite:${file}`, env);
  await expect.poll(() => kept(home.text, elsewhere), { timeout: 10_000 }).toEqual([1, 0]);
  expect(await home.ask(home.alice, 'memory')).toContain('**1** turn');
}, 90_000);
