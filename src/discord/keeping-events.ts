import { Events, type Client } from 'discord.js';

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

/** Tells the people of a channel that an answer of theirs was cut off by a crash. A channel that is gone is told nothing. */
export async function tellCutOff(client: Client, channelId: string): Promise<void> {
  const channel = client.channels.cache.get(channelId);
  if (!channel?.isTextBased() || channel.isDMBased()) return;
  if (missingPermissions(channel, CAPTION_PERMISSIONS).length > 0) return;
  await channel.send({ content: wordsFor(channel.guild.preferredLocale).memory.cutOff });
}
