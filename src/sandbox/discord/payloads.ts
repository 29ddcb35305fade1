import type { Channel, Guild, JsonObject, Member, Role, User, VoiceState } from './entities.ts';
import type { World } from './world.ts';

/** Discord's channel type numbers. */
export const CHANNEL_TYPES = { text: 0, voice: 2, stage: 13, publicThread: 11, privateThread: 12 } as const;

export function channelType(channel: Channel): number {
  if (channel.kind !== 'thread') return CHANNEL_TYPES[channel.kind];
  return channel.thread?.isPrivate ? CHANNEL_TYPES.privateThread : CHANNEL_TYPES.publicThread;
}

export function userPayload(user: User): JsonObject {
  return {
    id: user.id,
    username: user.bot ? user.name : user.name.toLowerCase().replaceAll(/[^a-z0-9._]+/g, '_'),
    global_name: user.bot ? null : user.name,
    discriminator: user.bot ? '0042' : '0',
    avatar: null,
    banner: null,
    accent_color: null,
    avatar_decoration_data: null,
    clan: null,
    primary_guild: null,
    public_flags: 0,
    ...(user.bot ? { bot: true } : {}),
  };
}

/** A member without its user, as messages carry it. */
export function partialMemberPayload(member: Member): JsonObject {
  return {
    nick: member.nick ?? null,
    roles: member.roles,
    joined_at: member.joinedAt,
    premium_since: null,
    communication_disabled_until:
      member.timedOutUntilMs === undefined ? null : new Date(member.timedOutUntilMs).toISOString(),
    avatar: null,
    banner: null,
    deaf: member.serverDeaf,
    mute: member.serverMute,
    flags: 0,
    pending: false,
  };
}

export function memberPayload(member: Member): JsonObject {
  return { ...partialMemberPayload(member), user: userPayload(member.user) };
}

export function rolePayload(role: Role): JsonObject {
  return {
    id: role.id,
    name: role.name,
    permissions: role.permissions.toString(),
    position: role.position,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    icon: null,
    unicode_emoji: null,
    managed: role.botId !== undefined,
    mentionable: false,
    flags: 0,
    ...(role.botId === undefined ? {} : { tags: { bot_id: role.botId } }),
  };
}

export function channelPayload(channel: Channel): JsonObject {
  const common = {
    id: channel.id,
    type: channelType(channel),
    guild_id: channel.guildId,
    name: channel.name,
    last_message_id: channel.lastMessageId ?? null,
    rate_limit_per_user: 0,
    flags: 0,
  };
  if (channel.thread) return { ...common, ...threadFields(channel, channel.thread) };
  return {
    ...common,
    position: channel.position,
    parent_id: channel.parentId ?? null,
    permission_overwrites: [...channel.overwrites.values()].map(({ id, kind, allow, deny }) => ({
      id,
      type: kind === 'role' ? 0 : 1,
      allow: allow.toString(),
      deny: deny.toString(),
    })),
    nsfw: false,
    topic: null,
    ...(channel.kind === 'text' ? {} : { bitrate: 64_000, user_limit: channel.userLimit, rtc_region: null }),
  };
}

function threadFields(channel: Channel, thread: NonNullable<Channel['thread']>): JsonObject {
  return {
    parent_id: channel.parentId,
    owner_id: thread.ownerId,
    message_count: channel.messages.size,
    total_message_sent: channel.messages.size,
    member_count: thread.memberIds.size,
    thread_metadata: {
      archived: thread.archived,
      auto_archive_duration: thread.autoArchiveMinutes,
      archive_timestamp: thread.archiveTimestamp,
      locked: thread.locked,
      ...(thread.isPrivate ? { invitable: true } : {}),
    },
  };
}

/** Membership of a thread, as THREAD_CREATE shows it to the member. */
export function threadMemberPayload(channel: Channel, userId: string): JsonObject {
  return { id: channel.id, user_id: userId, join_timestamp: new Date().toISOString(), flags: 0 };
}

export function voiceStatePayload(guild: Guild, state: VoiceState, channelId: string | null): JsonObject {
  const member = guild.members.get(state.userId);
  return {
    guild_id: guild.id,
    channel_id: channelId,
    user_id: state.userId,
    ...(member ? { member: memberPayload(member) } : {}),
    session_id: state.sessionId,
    deaf: member?.serverDeaf ?? false,
    mute: member?.serverMute ?? false,
    self_deaf: state.selfDeaf,
    self_mute: state.selfMute,
    self_video: false,
    suppress: state.suppress,
    request_to_speak_timestamp: state.requestToSpeakAt ?? null,
  };
}

/** What GET /guilds/:id answers. */
export function guildPayload(guild: Guild): JsonObject {
  return {
    id: guild.id,
    name: guild.name,
    icon: null,
    icon_hash: null,
    splash: null,
    discovery_splash: null,
    owner_id: guild.ownerId,
    region: 'deprecated',
    afk_channel_id: null,
    afk_timeout: 300,
    widget_enabled: false,
    widget_channel_id: null,
    verification_level: 0,
    default_message_notifications: 0,
    explicit_content_filter: 0,
    roles: [...guild.roles.values()].map(rolePayload),
    emojis: [],
    stickers: [],
    features: [],
    mfa_level: 0,
    application_id: null,
    system_channel_id: null,
    system_channel_flags: 0,
    rules_channel_id: null,
    max_presences: null,
    max_members: 500_000,
    vanity_url_code: null,
    description: null,
    banner: null,
    premium_tier: 0,
    premium_subscription_count: 0,
    preferred_locale: 'en-US',
    public_updates_channel_id: null,
    nsfw_level: 0,
    premium_progress_bar_enabled: false,
    safety_alerts_channel_id: null,
    incidents_data: null,
  };
}

/**
 * What GUILD_CREATE carries. Without the presence intent a bot is told only of itself and of the members in voice
 * channels; without the voice intent, of nobody's voice state (Discord's documentation, "Guild Create").
 */
export function guildCreatePayload(
  world: World,
  guild: Guild,
  sees: { voiceStates: boolean; everyMember: boolean },
): JsonObject {
  const inVoice = (userId: string): boolean => sees.voiceStates && guild.voiceStates.has(userId);
  const members = [...guild.members.values()].filter(
    ({ user }) => sees.everyMember || user.id === world.bot.id || inVoice(user.id),
  );
  const channels = [...guild.channels.values()];
  return {
    ...guildPayload(guild),
    joined_at: guild.joinedAt,
    large: false,
    unavailable: false,
    member_count: guild.members.size,
    members: members.map(memberPayload),
    channels: channels.filter(({ kind }) => kind !== 'thread').map(channelPayload),
    threads: channels.filter(({ thread }) => thread && !thread.archived && !thread.isPrivate).map(channelPayload),
    voice_states: sees.voiceStates
      ? [...guild.voiceStates.values()].map((state) => voiceStatePayload(guild, state, state.channelId))
      : [],
    presences: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}
