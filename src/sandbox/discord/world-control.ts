import type { ChannelSnapshot, GuildSnapshot, WorldControl, WorldSnapshot } from '../control/protocol.ts';
import { Refusal } from '../control/refusal.ts';
import { commandPayload } from './commands.ts';
import type { Channel, Guild } from './entities.ts';
import type { Gateway } from './gateway/gateway.ts';
import { channelPayload, memberPayload } from './payloads.ts';
import { isPermissionName, permissionBits } from './permissions.ts';
import type { RequestLog } from './rest/request-log.ts';
import type { VoicePresence } from './voice-presence.ts';
import type { World } from './world.ts';

interface WorldControlParts {
  readonly world: World;
  readonly gateway: Gateway;
  readonly presence: VoicePresence;
  readonly log: RequestLog;
}

/** The control API's methods about guilds, channels, members and faults of REST and gateway. */
export function createWorldControl({ world, gateway, presence, log }: WorldControlParts): WorldControl {
  return {
    world: async () => worldSnapshot(world, gateway),
    async createGuild({ name }) {
      const guild = world.createGuild(name);
      world.publish({ event: 'GUILD_CREATE', data: {}, guildId: guild.id });
      return guildSnapshot(world, guild);
    },
    async createChannel({ guildId, name, kind, userLimit }) {
      const guild = world.guild(guildId);
      const channel = world.createChannel(guild, name, kind, userLimit);
      world.publish({ event: 'CHANNEL_CREATE', data: channelPayload(channel), guildId, channelId: channel.id });
      return channelSnapshot(channel);
    },
    async createPerson({ guildId, name, ...options }) {
      const guild = world.guild(guildId);
      const member = world.createPerson(guild, name, options);
      const data = { ...memberPayload(member), guild_id: guildId };
      world.publish({ event: 'GUILD_MEMBER_ADD', data, guildId });
      return { id: member.user.id, name, bot: member.user.bot };
    },
    async deleteChannel({ channelId }) {
      const { guild, channel } = world.channel(channelId);
      presence.endCall(guild, channelId);
      for (const thread of guild.channels.values()) {
        if (thread.parentId === channelId) guild.channels.delete(thread.id);
      }
      guild.channels.delete(channelId);
      const event = channel.thread ? 'THREAD_DELETE' : 'CHANNEL_DELETE';
      world.publish({ event, data: channelPayload(channel), guildId: guild.id });
    },
    async deleteGuild({ guildId }) {
      const guild = world.guild(guildId);
      for (const channel of guild.channels.values()) presence.endCall(guild, channel.id);
      world.publish({ event: 'GUILD_DELETE', data: { id: guildId }, guildId });
      world.guilds.delete(guildId);
    },
    async setGuildAvailable({ guildId, available }) {
      const guild = world.guild(guildId);
      if (guild.available === available) return;
      guild.available = available;
      if (available) world.publish({ event: 'GUILD_CREATE', data: {}, guildId });
      else world.publish({ event: 'GUILD_DELETE', data: { id: guildId, unavailable: true }, guildId });
    },
    async setDenied({ channelId, userId, deny, allow = [] }) {
      const { guild, channel } = world.channel(channelId);
      world.member(guild, userId);
      const unknown = [...deny, ...allow].find((name) => !isPermissionName(name));
      if (unknown !== undefined) throw new Refusal(`There is no permission ${unknown}.`);
      if (deny.length + allow.length === 0) channel.overwrites.delete(userId);
      else {
        const [denied, allowed] = [deny, allow].map((names) => permissionBits(names.filter(isPermissionName)));
        channel.overwrites.set(userId, { id: userId, kind: 'member', allow: allowed ?? 0n, deny: denied ?? 0n });
      }
      // Not bound to seeing the channel: the bot must learn that it no longer does.
      world.publish({ event: 'CHANNEL_UPDATE', data: channelPayload(channel), guildId: guild.id });
      presence.refreshSpeaking(guild, channel);
    },
    async moveMember({ guildId, userId, channelId }) {
      presence.move(guildId, userId, channelId);
    },
    async setServerVoice({ guildId, userId, ...change }) {
      presence.setServerVoice(guildId, userId, change);
    },
    async gatewayFault(fault) {
      gateway.fault(fault);
    },
    async restFault(fault) {
      log.addFault(fault);
    },
    restRequests: async () => [...log.records],
  };
}

function worldSnapshot(world: World, gateway: Gateway): WorldSnapshot {
  const { bot } = world;
  return {
    bot: { id: bot.id, name: bot.name, applicationId: bot.id, online: gateway.online },
    guilds: [...world.guilds.values()].map((guild) => guildSnapshot(world, guild)),
    commands: [...world.commands.values()].map((command) => commandPayload(world, command)),
  };
}

function guildSnapshot(world: World, guild: Guild): GuildSnapshot {
  const people = [...guild.members.values()].filter(({ user }) => world.people.has(user.id));
  return {
    id: guild.id,
    name: guild.name,
    channels: [...guild.channels.values()].map(channelSnapshot),
    people: people.map(({ user }) => ({ id: user.id, name: user.name, bot: user.bot })),
    voiceStates: [...guild.voiceStates.values()].map(({ userId, channelId, selfMute, selfDeaf }) => ({
      userId,
      channelId,
      selfMute,
      selfDeaf,
    })),
  };
}

function channelSnapshot({ id, name, kind, parentId }: Channel): ChannelSnapshot {
  return { id, name, kind, ...(parentId === undefined ? {} : { parentId }) };
}
