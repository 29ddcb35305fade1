import { Events, type Client } from 'discord.js';

/**
 * Calls `changed` when a server's channels, or what we may do in them, have changed: with the id of a channel that is gone, or
 * with none.
 */
export function followChannels(client: Client, changed: (guildId: string, goneChannelId?: string) => void): void {
  client.on(Events.ChannelDelete, (channel) => {
    if (!channel.isDMBased()) changed(channel.guildId, channel.id);
  });
  client.on(Events.ThreadDelete, ({ guildId, id }) => changed(guildId, id));
  client.on(Events.ChannelUpdate, (_before, channel) => {
    if (!channel.isDMBased()) changed(channel.guildId);
  });
  client.on(Events.GuildRoleUpdate, ({ guild }) => changed(guild.id));
  client.on(Events.GuildRoleDelete, ({ guild }) => changed(guild.id));
  client.on(Events.GuildMemberUpdate, (_before, { guild, id }) => {
    if (id === client.user?.id) changed(guild.id);
  });
}
