import type { Channel, Guild, Member } from './entities.ts';

/** Permission bits by the names of Discord's documentation ("Permissions"). */
export const PERMISSIONS = {
  CREATE_INSTANT_INVITE: 1n << 0n,
  KICK_MEMBERS: 1n << 1n,
  BAN_MEMBERS: 1n << 2n,
  ADMINISTRATOR: 1n << 3n,
  MANAGE_CHANNELS: 1n << 4n,
  MANAGE_GUILD: 1n << 5n,
  ADD_REACTIONS: 1n << 6n,
  VIEW_AUDIT_LOG: 1n << 7n,
  PRIORITY_SPEAKER: 1n << 8n,
  STREAM: 1n << 9n,
  VIEW_CHANNEL: 1n << 10n,
  SEND_MESSAGES: 1n << 11n,
  SEND_TTS_MESSAGES: 1n << 12n,
  MANAGE_MESSAGES: 1n << 13n,
  EMBED_LINKS: 1n << 14n,
  ATTACH_FILES: 1n << 15n,
  READ_MESSAGE_HISTORY: 1n << 16n,
  MENTION_EVERYONE: 1n << 17n,
  USE_EXTERNAL_EMOJIS: 1n << 18n,
  VIEW_GUILD_INSIGHTS: 1n << 19n,
  CONNECT: 1n << 20n,
  SPEAK: 1n << 21n,
  MUTE_MEMBERS: 1n << 22n,
  DEAFEN_MEMBERS: 1n << 23n,
  MOVE_MEMBERS: 1n << 24n,
  USE_VAD: 1n << 25n,
  CHANGE_NICKNAME: 1n << 26n,
  MANAGE_NICKNAMES: 1n << 27n,
  MANAGE_ROLES: 1n << 28n,
  MANAGE_WEBHOOKS: 1n << 29n,
  MANAGE_GUILD_EXPRESSIONS: 1n << 30n,
  USE_APPLICATION_COMMANDS: 1n << 31n,
  REQUEST_TO_SPEAK: 1n << 32n,
  MANAGE_EVENTS: 1n << 33n,
  MANAGE_THREADS: 1n << 34n,
  CREATE_PUBLIC_THREADS: 1n << 35n,
  CREATE_PRIVATE_THREADS: 1n << 36n,
  USE_EXTERNAL_STICKERS: 1n << 37n,
  SEND_MESSAGES_IN_THREADS: 1n << 38n,
  USE_EMBEDDED_ACTIVITIES: 1n << 39n,
  MODERATE_MEMBERS: 1n << 40n,
  VIEW_CREATOR_MONETIZATION_ANALYTICS: 1n << 41n,
  USE_SOUNDBOARD: 1n << 42n,
  CREATE_GUILD_EXPRESSIONS: 1n << 43n,
  CREATE_EVENTS: 1n << 44n,
  USE_EXTERNAL_SOUNDS: 1n << 45n,
  SEND_VOICE_MESSAGES: 1n << 46n,
  SET_VOICE_CHANNEL_STATUS: 1n << 48n,
  SEND_POLLS: 1n << 49n,
  USE_EXTERNAL_APPS: 1n << 50n,
  PIN_MESSAGES: 1n << 51n,
  BYPASS_SLOWMODE: 1n << 52n,
} as const;

export type PermissionName = keyof typeof PERMISSIONS;

export function isPermissionName(name: string): name is PermissionName {
  return Object.hasOwn(PERMISSIONS, name);
}

/** Joins bits by name. */
export function permissionBits(names: readonly PermissionName[]): bigint {
  return names.reduce((bits, name) => bits | PERMISSIONS[name], 0n);
}

const ALL = Object.values(PERMISSIONS).reduce((bits, bit) => bits | bit, 0n);

/** What @everyone may do in a guild that nobody has changed: pinging everyone is among it. */
export const EVERYONE_DEFAULT = permissionBits([
  'CREATE_INSTANT_INVITE',
  'ADD_REACTIONS',
  'STREAM',
  'VIEW_CHANNEL',
  'SEND_MESSAGES',
  'EMBED_LINKS',
  'ATTACH_FILES',
  'READ_MESSAGE_HISTORY',
  'MENTION_EVERYONE',
  'USE_EXTERNAL_EMOJIS',
  'CONNECT',
  'SPEAK',
  'USE_VAD',
  'CHANGE_NICKNAME',
  'USE_APPLICATION_COMMANDS',
  'REQUEST_TO_SPEAK',
  'CREATE_PUBLIC_THREADS',
  'CREATE_PRIVATE_THREADS',
  'USE_EXTERNAL_STICKERS',
  'SEND_MESSAGES_IN_THREADS',
  'USE_EMBEDDED_ACTIVITIES',
  'USE_SOUNDBOARD',
  'USE_EXTERNAL_SOUNDS',
  'SEND_VOICE_MESSAGES',
  'SEND_POLLS',
  'USE_EXTERNAL_APPS',
]);

/** What a member in time-out keeps (Discord's documentation, "Permissions for Timed Out Members"). */
const TIMED_OUT = PERMISSIONS.VIEW_CHANNEL | PERMISSIONS.READ_MESSAGE_HISTORY;

/** Without these, the others are lost as well ("Implicit Permissions"). */
const NEEDS_SEND_MESSAGES = permissionBits(['MENTION_EVERYONE', 'SEND_TTS_MESSAGES', 'ATTACH_FILES', 'EMBED_LINKS']);
const NEEDS_CONNECT = permissionBits(['SPEAK', 'STREAM', 'USE_VAD', 'MUTE_MEMBERS', 'DEAFEN_MEMBERS', 'MOVE_MEMBERS']);

/**
 * What a member may do in a channel: roles, then the channel's overwrites for @everyone, the member's roles and the
 * member, as Discord's documentation computes it. A thread has its parent's permissions.
 */
export function permissionsIn(guild: Guild, channel: Channel, member: Member): bigint {
  const base = guildPermissions(guild, member);
  if ((base & PERMISSIONS.ADMINISTRATOR) !== 0n) return ALL;
  const owner = channel.thread ? (guild.channels.get(channel.parentId ?? '') ?? channel) : channel;
  let bits = base;
  const apply = (overwrites: readonly { allow: bigint; deny: bigint }[]): void => {
    const deny = overwrites.reduce((all, { deny }) => all | deny, 0n);
    const allow = overwrites.reduce((all, { allow }) => all | allow, 0n);
    bits = (bits & ~deny) | allow;
  };
  const of = (id: string) => owner.overwrites.get(id) ?? { allow: 0n, deny: 0n };
  apply([of(guild.id)]);
  apply(member.roles.map(of));
  apply([of(member.user.id)]);
  return isTimedOut(member) ? bits & TIMED_OUT : bits;
}

/** Whether the member may do all of this, what Discord takes away implicitly included. */
export function may(guild: Guild, channel: Channel, member: Member, ...names: readonly PermissionName[]): boolean {
  const wanted = permissionBits(names);
  return (effectivePermissions(guild, channel, member) & wanted) === wanted;
}

function effectivePermissions(guild: Guild, channel: Channel, member: Member): bigint {
  let bits = permissionsIn(guild, channel, member);
  if ((bits & PERMISSIONS.VIEW_CHANNEL) === 0n) return 0n;
  const send = channel.thread ? PERMISSIONS.SEND_MESSAGES_IN_THREADS : PERMISSIONS.SEND_MESSAGES;
  if ((bits & send) === 0n) bits &= ~NEEDS_SEND_MESSAGES;
  if ((bits & PERMISSIONS.CONNECT) === 0n) bits &= ~NEEDS_CONNECT;
  return bits;
}

function guildPermissions(guild: Guild, member: Member): bigint {
  if (member.user.id === guild.ownerId) return ALL;
  const roles = [guild.id, ...member.roles];
  const bits = roles.reduce((all, id) => all | (guild.roles.get(id)?.permissions ?? 0n), 0n);
  if ((bits & PERMISSIONS.ADMINISTRATOR) !== 0n) return ALL;
  return isTimedOut(member) ? bits & TIMED_OUT : bits;
}

function isTimedOut(member: Member): boolean {
  return member.timedOutUntilMs !== undefined && member.timedOutUntilMs > Date.now();
}
