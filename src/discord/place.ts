import { PermissionFlagsBits, type GuildTextBasedChannel, type VoiceBasedChannel } from 'discord.js';

import { UserError } from '../language/user-error.ts';
import { CAPTION_PERMISSIONS, missingPermissions, VOICE_PERMISSIONS } from './permissions.ts';

/** Where a call is to be. */
export interface Place {
  readonly voiceChannel: VoiceBasedChannel;
  /** Where the words appear. */
  readonly textChannel: GuildTextBasedChannel;
}

/** Everything that can be known before asking Discord to let us in. @throws {UserError} */
export function checkPlace({ voiceChannel, textChannel }: Place): void {
  const { guild } = voiceChannel;
  if (voiceChannel.id === guild.afkChannelId) throw new UserError({ type: 'plain', id: 'afk-channel' });
  for (const [channel, needed] of [
    [voiceChannel, VOICE_PERMISSIONS],
    [textChannel, CAPTION_PERMISSIONS],
  ] as const) {
    const missing = missingPermissions(channel, needed);
    if (missing.length > 0) throw new UserError({ type: 'permissions', channelName: channel.toString(), missing });
  }
  const { members, userLimit } = voiceChannel;
  const mayOverfill = guild.members.me?.permissions.has(PermissionFlagsBits.MoveMembers) ?? false;
  if (userLimit > 0 && members.size >= userLimit && !mayOverfill) {
    throw new UserError({ type: 'plain', id: 'channel-full' });
  }
  if (!members.some((member) => !member.user.bot)) throw new UserError({ type: 'plain', id: 'nobody-there' });
}
