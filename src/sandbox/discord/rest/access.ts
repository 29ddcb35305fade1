import type { Channel, Guild, Message } from '../entities.ts';
import { may, type PermissionName } from '../permissions.ts';
import type { World } from '../world.ts';
import { DiscordError } from './errors.ts';

export interface FoundChannel {
  readonly guild: Guild;
  readonly channel: Channel;
}

/**
 * The channel, if the bot may do this there.
 * @throws {DiscordError} 10003 when there is none, 50001 when the bot cannot see it, 50013 when it may not.
 */
export function accessibleChannel(world: World, channelId: string, ...needs: readonly PermissionName[]): FoundChannel {
  const found = world.findChannel(channelId);
  if (!found?.guild.available) throw new DiscordError('unknownChannel');
  const bot = world.botMember(found.guild);
  if (!may(found.guild, found.channel, bot, 'VIEW_CHANNEL')) throw new DiscordError('missingAccess');
  if (!may(found.guild, found.channel, bot, ...needs)) throw new DiscordError('missingPermissions');
  return found;
}

/** @throws {DiscordError} 10004 when there is no such guild, 50001 while it is unavailable. */
export function accessibleGuild(world: World, guildId: string): Guild {
  const guild = world.guilds.get(guildId);
  if (!guild) throw new DiscordError('unknownGuild');
  if (!guild.available) throw new DiscordError('missingAccess');
  return guild;
}

/** A message that everybody sees. @throws {DiscordError} 10008 */
export function publicMessage(channel: Channel, messageId: string): Message {
  const message = channel.messages.get(messageId);
  if (!message || message.visibleTo !== undefined) throw new DiscordError('unknownMessage');
  return message;
}
