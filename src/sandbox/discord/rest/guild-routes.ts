import { z } from 'zod';
import type { VoicePresence } from '../voice-presence.ts';
import {
  channelPayload,
  guildPayload,
  memberPayload,
  rolePayload,
  userPayload,
  voiceStatePayload,
} from '../payloads.ts';
import { may } from '../permissions.ts';
import type { World } from '../world.ts';
import { accessibleGuild } from './access.ts';
import { DiscordError } from './errors.ts';
import { parseForm, snowflake } from './form.ts';
import { LIMITS, NO_CONTENT, type RestCall, type Route } from './route.ts';

const GUILD_MEMBERS = 1 << 1;

const ownVoiceStateSchema = z.looseObject({
  channel_id: snowflake.nullish(),
  suppress: z.boolean().nullish(),
  request_to_speak_timestamp: z.string().nullish(),
});

/** `/guilds/{id}` with members, roles and voice states, and `/users/{id}`. */
export function guildRoutes(world: World, presence: VoicePresence): Route[] {
  const common = { limit: LIMITS.other, major: ['guildId'] } as const;
  const guildOf = (call: RestCall) => accessibleGuild(world, call.param('guildId'));
  return [
    {
      ...common,
      method: 'GET',
      path: '/guilds/:guildId',
      handle: (call) => ({ status: 200, json: guildPayload(guildOf(call)) }),
    },
    {
      ...common,
      method: 'GET',
      path: '/guilds/:guildId/channels',
      handle: (call) => ({
        status: 200,
        json: [...guildOf(call).channels.values()].filter(({ kind }) => kind !== 'thread').map(channelPayload),
      }),
    },
    {
      ...common,
      method: 'GET',
      path: '/guilds/:guildId/roles',
      handle: (call) => ({ status: 200, json: [...guildOf(call).roles.values()].map(rolePayload) }),
    },
    {
      ...common,
      method: 'GET',
      path: '/guilds/:guildId/members',
      handle(call) {
        // Listing everybody needs the privileged members intent; asking for one member does not.
        if ((world.privilegedIntents & GUILD_MEMBERS) === 0) throw new DiscordError('missingAccess');
        const limit = Math.min(1000, Math.max(1, Number(call.query.get('limit') ?? 1)));
        return { status: 200, json: [...guildOf(call).members.values()].slice(0, limit).map(memberPayload) };
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/guilds/:guildId/members/:userId',
      handle(call) {
        const member = guildOf(call).members.get(call.param('userId'));
        if (!member) throw new DiscordError('unknownMember');
        return { status: 200, json: memberPayload(member) };
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/guilds/:guildId/voice-states/@me',
      handle: (call) => voiceStateAnswer(world, call, world.bot.id),
    },
    {
      ...common,
      method: 'GET',
      path: '/guilds/:guildId/voice-states/:userId',
      handle: (call) => voiceStateAnswer(world, call, call.param('userId')),
    },
    {
      ...common,
      method: 'PATCH',
      path: '/guilds/:guildId/voice-states/@me',
      async handle(call) {
        const { json } = await call.body();
        const form = parseForm(ownVoiceStateSchema, json);
        changeOwnVoiceState(world, presence, call, form);
        return NO_CONTENT;
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/users/:userId',
      handle(call) {
        const user = world.users.get(call.param('userId'));
        if (!user) throw new DiscordError('unknownUser');
        return { status: 200, json: userPayload(user) };
      },
    },
  ];
}

function voiceStateAnswer(world: World, call: RestCall, userId: string) {
  const guild = accessibleGuild(world, call.param('guildId'));
  const state = guild.voiceStates.get(userId);
  if (!state) throw new DiscordError('unknownVoiceState');
  return { status: 200, json: voiceStatePayload(guild, state, state.channelId) };
}

/** On a stage the bot can ask to speak, and with MUTE_MEMBERS step up itself ("Modify Current User Voice State"). */
function changeOwnVoiceState(
  world: World,
  presence: VoicePresence,
  call: RestCall,
  form: z.output<typeof ownVoiceStateSchema>,
): void {
  const guild = accessibleGuild(world, call.param('guildId'));
  const state = guild.voiceStates.get(world.bot.id);
  const channel = state && guild.channels.get(state.channelId);
  if (!state || !channel) throw new DiscordError('unknownVoiceState');
  if (channel.kind !== 'stage') throw new DiscordError('wrongChannelType');
  const bot = world.botMember(guild);
  if (form.suppress === false && !may(guild, channel, bot, 'MUTE_MEMBERS')) {
    throw new DiscordError('missingPermissions');
  }
  if (form.request_to_speak_timestamp && !may(guild, channel, bot, 'REQUEST_TO_SPEAK')) {
    throw new DiscordError('missingPermissions');
  }
  state.suppress = form.suppress ?? state.suppress;
  if (form.request_to_speak_timestamp) state.requestToSpeakAt = form.request_to_speak_timestamp;
  else if (form.request_to_speak_timestamp === null) delete state.requestToSpeakAt;
  presence.announceChange(guild, state);
}
