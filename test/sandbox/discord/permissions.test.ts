import { PermissionFlagsBits, PermissionsBitField } from 'discord.js';
import { expect, test } from 'vitest';
import { may, PERMISSIONS, permissionsIn } from '../../../src/sandbox/discord/permissions.ts';
import { World } from '../../../src/sandbox/discord/world.ts';
import { monotonicClock } from '../../../src/time/clock.ts';

function scene() {
  const world = new World({ clock: monotonicClock, emit: () => {}, privilegedIntents: 0 });
  const guild = world.createGuild('Guild');
  const channel = world.createChannel(guild, 'talk', 'voice');
  const alice = world.createPerson(guild, 'Alice');
  return { world, guild, channel, alice };
}

test('the bits are those of discord.js', () => {
  const theirs = new Map(Object.entries(PermissionFlagsBits).map(([name, bit]) => [name.toLowerCase(), bit]));
  for (const [name, bit] of Object.entries(PERMISSIONS))
    expect([name, theirs.get(name.toLowerCase().replaceAll('_', ''))]).toEqual([name, bit]);
});

test('a member overwrite beats a role overwrite, which beats that of everyone', () => {
  const { guild, channel, alice } = scene();
  const { SPEAK } = PERMISSIONS;
  channel.overwrites.set(guild.id, { id: guild.id, kind: 'role', allow: 0n, deny: SPEAK });
  expect(may(guild, channel, alice, 'SPEAK')).toBe(false);
  guild.roles.set('1', { id: '1', name: 'speakers', permissions: 0n, position: 2 });
  channel.overwrites.set('1', { id: '1', kind: 'role', allow: SPEAK, deny: 0n });
  alice.roles.push('1');
  expect(may(guild, channel, alice, 'SPEAK')).toBe(true);
  channel.overwrites.set(alice.user.id, { id: alice.user.id, kind: 'member', allow: 0n, deny: SPEAK });
  expect(may(guild, channel, alice, 'SPEAK')).toBe(false);
});

test('owners and administrators may everything, whatever a channel denies', () => {
  const { world, guild, channel, alice } = scene();
  const everything = Object.values(PERMISSIONS).reduce((all, bit) => all | bit, 0n);
  channel.overwrites.set(guild.id, { id: guild.id, kind: 'role', allow: 0n, deny: everything });
  expect(permissionsIn(guild, channel, alice)).toBe(0n);
  guild.roles.set('1', { id: '1', name: 'admins', permissions: PERMISSIONS.ADMINISTRATOR, position: 2 });
  alice.roles.push('1');
  expect(permissionsIn(guild, channel, alice)).toBe(everything);
  expect(permissionsIn(guild, channel, world.member(guild, guild.ownerId))).toBe(everything);
});

test('who cannot see a channel, connect or write loses what depends on it', () => {
  const { guild, channel, alice } = scene();
  const deny = (bit: bigint) =>
    channel.overwrites.set(alice.user.id, { id: alice.user.id, kind: 'member', allow: 0n, deny: bit });
  deny(PERMISSIONS.SEND_MESSAGES);
  expect(may(guild, channel, alice, 'ATTACH_FILES')).toBe(false);
  expect(may(guild, channel, alice, 'SPEAK')).toBe(true);
  deny(PERMISSIONS.CONNECT);
  expect(may(guild, channel, alice, 'SPEAK')).toBe(false);
  deny(PERMISSIONS.VIEW_CHANNEL);
  expect(may(guild, channel, alice, 'SEND_MESSAGES')).toBe(false);
});

test('a member in time-out can only read', () => {
  const { guild, channel, alice } = scene();
  alice.timedOutUntilMs = Date.now() + 60_000;
  const left = new PermissionsBitField(permissionsIn(guild, channel, alice)).toArray();
  expect(left.toSorted()).toEqual(['ReadMessageHistory', 'ViewChannel']);
});
