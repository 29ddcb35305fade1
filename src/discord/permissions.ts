import { PermissionFlagsBits, type GuildBasedChannel, type GuildMember, type PermissionsString } from 'discord.js';

import type { PermissionWord } from '../language/words.ts';

/** What Parley needs to talk in a voice channel. */
export const VOICE_PERMISSIONS = ['ViewChannel', 'Connect', 'Speak'] as const satisfies readonly PermissionWord[];

/** What Parley needs where its words appear. */
export const CAPTION_PERMISSIONS = ['ViewChannel', 'SendMessages'] as const satisfies readonly PermissionWord[];

/** What Discord wants for a file, that of a command's answer included: who may not write may not attach either. */
export const FILE_PERMISSIONS = [
  'ViewChannel',
  'SendMessages',
  'AttachFiles',
] as const satisfies readonly PermissionWord[];

/** What Discord wants for a native voice message. */
export const VOICE_MESSAGE_PERMISSIONS = [
  ...FILE_PERMISSIONS,
  'SendVoiceMessages',
] as const satisfies readonly PermissionWord[];

/** What Parley needs to write a long text into a thread of its own, and to find in there again what it has written. */
export const THREAD_PERMISSIONS = [
  'CreatePublicThreads',
  'SendMessagesInThreads',
  'ReadMessageHistory',
] as const satisfies readonly PermissionWord[];

/**
 * Which of the permissions Parley lacks in a channel. Asked before the request is made: a refused request counts towards
 * Discord's limit of invalid ones, and tells a person nothing.
 */
export function missingPermissions(channel: GuildBasedChannel, needed: readonly PermissionWord[]): PermissionWord[] {
  const me = channel.guild.members.me;
  const granted = me ? channel.permissionsFor(me) : undefined;
  // In a thread another permission says who may write.
  const asked = needed.map((one) => (one === 'SendMessages' && channel.isThread() ? 'SendMessagesInThreads' : one));
  return asked.filter((permission) => !granted?.has(PermissionFlagsBits[permission]));
}

/** Whether a member has these permissions in a channel; in one that is gone nobody has any. */
export function hasIn(member: GuildMember, channelId: string, needed: readonly PermissionsString[]): boolean {
  return (
    member.guild.channels.cache
      .get(channelId)
      ?.permissionsFor(member)
      .has([...needed]) ?? false
  );
}

/** Whether a member may hear what is said in a voice channel: they may enter it, or are in it. */
export function mayHearIn(member: GuildMember, channelId: string): boolean {
  return member.voice.channelId === channelId || hasIn(member, channelId, ['ViewChannel', 'Connect']);
}
