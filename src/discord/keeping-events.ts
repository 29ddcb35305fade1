import { DiscordAPIError, Events, RESTJSONErrorCodes, type Channel, type Client } from 'discord.js';

import type { SettingsOfChannels } from '../conversation/channel-settings.ts';
import type { Keeping } from '../conversation/keeping.ts';
import { wordsFor } from '../language/words.ts';
import { CAPTION_PERMISSIONS, missingPermissions } from './permissions.ts';

/** Lets what is kept follow what becomes of servers and channels. */
export function followServers(client: Client, keeping: Keeping, settings: SettingsOfChannels): void {
  // All it is a member of: those that have an outage are among them, and their end is told by another event than a leave.
  keeping.guildsAre([...client.guilds.cache.keys()]);
  // An outage is told by another event: the server is still there.
  client.on(Events.GuildDelete, ({ id, channels }) => {
    keeping.guildLeft(id);
    settings.forget(channels.cache.keys());
  });
  client.on(Events.GuildCreate, ({ id }) => keeping.guildJoined(id));
  for (const event of [Events.ChannelDelete, Events.ThreadDelete] as const) {
    client.on(event, ({ id }) => {
      keeping.channelDeleted(id);
      settings.forget([id]);
    });
  }
}

/** What Discord answers about a channel that is gone, or that we may not see or write in. */
const NOBODY_TO_TELL = new Set<number | string>([
  RESTJSONErrorCodes.UnknownChannel,
  RESTJSONErrorCodes.MissingAccess,
  RESTJSONErrorCodes.MissingPermissions,
]);

/**
 * Tells the people of a channel that an answer of theirs was cut off by a crash. A channel that is gone, or in which we may
 * not write, is told nothing. Rejects when it may be told later, such as after an outage.
 */
export async function tellCutOff(client: Client, channelId: string): Promise<void> {
  try {
    // Not all are at hand: a thread in which nobody wrote for a while is not.
    await tell(await client.channels.fetch(channelId));
  } catch (error) {
    if (!(error instanceof DiscordAPIError) || !NOBODY_TO_TELL.has(error.code)) throw error;
  }
}

async function tell(channel: Channel | null): Promise<void> {
  if (channel === null) throw new Error('the server is not known now');
  if (!channel.isTextBased() || channel.isDMBased()) return;
  if (!channel.guild.available) throw new Error('the server has an outage');
  if (missingPermissions(channel, CAPTION_PERMISSIONS).length > 0) return;
  await channel.send({ content: wordsFor(channel.guild.preferredLocale).memory.cutOff });
}
