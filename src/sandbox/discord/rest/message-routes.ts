import { type Channel, type JsonObject, type Message, MESSAGE_FLAGS } from '../entities.ts';
import { seenByBot } from '../content-filter.ts';
import { EMPTY_DRAFT, type MessageBoard } from '../messages.ts';
import { may } from '../permissions.ts';
import { bySnowflake } from '../snowflake.ts';
import type { World } from '../world.ts';
import { accessibleChannel, publicMessage } from './access.ts';
import type { Composer, Place } from './compose.ts';
import { DiscordError } from './errors.ts';
import { LIMITS, NO_CONTENT, type Route } from './route.ts';

/** Flags a new message may set ("Create Message"). */
const MESSAGE_FLAGS_SETTABLE =
  MESSAGE_FLAGS.suppressEmbeds | MESSAGE_FLAGS.suppressNotifications | MESSAGE_FLAGS.voiceMessage;

/** How long Discord looks back for the same nonce: "the past few minutes". */
const NONCE_MEMORY_MS = 3 * 60 * 1000;

export interface MessageRouteParts {
  readonly world: World;
  readonly board: MessageBoard;
  readonly composer: Composer;
}

/** `/channels/{id}/messages` and typing. */
export function messageRoutes({ world, board, composer }: MessageRouteParts): Route[] {
  const common = { limit: LIMITS.messages, major: ['channelId'] } as const;
  const one = '/channels/:channelId/messages/:messageId';
  const payload = (message: Message): JsonObject => seenByBot(world, board.payload(message), world.privilegedIntents);
  return [
    {
      ...common,
      method: 'POST',
      path: '/channels/:channelId/messages',
      async handle(call) {
        const body = await call.body();
        const place = placeOf(world, call.param('channelId'));
        const composed = composer.create(body, body.json, place);
        const { guild, channel } = place;
        const earlier = composed.enforceNonce ? sameNonce(world, channel, composed.nonce) : undefined;
        if (earlier) return { status: 200, json: payload(earlier) };
        if (channel.thread?.archived) channel.thread.archived = false;
        const { repliesTo } = composed;
        const message = board.create(guild, channel, {
          ...EMPTY_DRAFT,
          ...composed,
          author: world.bot,
          ...(repliesTo ? { type: 19, reference: { messageId: repliesTo.id, channelId: channel.id } } : {}),
        });
        return { status: 200, json: payload(message) };
      },
    },
    {
      ...common,
      limit: LIMITS.other,
      method: 'GET',
      path: '/channels/:channelId/messages',
      handle(call) {
        const { guild, channel } = accessibleChannel(world, call.param('channelId'));
        if (!may(guild, channel, world.botMember(guild), 'READ_MESSAGE_HISTORY')) return { status: 200, json: [] };
        return { status: 200, json: page(channel, call.query).map(payload) };
      },
    },
    {
      ...common,
      limit: LIMITS.other,
      method: 'GET',
      path: one,
      handle(call) {
        const { channel } = accessibleChannel(world, call.param('channelId'), 'READ_MESSAGE_HISTORY');
        return { status: 200, json: payload(publicMessage(channel, call.param('messageId'))) };
      },
    },
    {
      ...common,
      method: 'PATCH',
      path: one,
      async handle(call) {
        const body = await call.body();
        const { guild, channel } = accessibleChannel(world, call.param('channelId'));
        const message = publicMessage(channel, call.param('messageId'));
        if (message.author.id !== world.bot.id) throw new DiscordError('cannotEditOthers');
        const place: Place = {
          guild,
          channel,
          flags: MESSAGE_FLAGS_SETTABLE,
          ephemeral: false,
          prefix: [],
          answersInteraction: false,
        };
        board.edit(message, composer.edit(body, body.json, message, place));
        return { status: 200, json: payload(message) };
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: one,
      handle(call) {
        const { guild, channel } = accessibleChannel(world, call.param('channelId'));
        const message = publicMessage(channel, call.param('messageId'));
        const own = message.author.id === world.bot.id;
        if (!own && !may(guild, channel, world.botMember(guild), 'MANAGE_MESSAGES')) {
          throw new DiscordError('missingPermissions');
        }
        board.delete(channel, message);
        return NO_CONTENT;
      },
    },
    {
      ...common,
      limit: LIMITS.typing,
      method: 'POST',
      path: '/channels/:channelId/typing',
      handle(call) {
        placeOf(world, call.param('channelId'));
        return NO_CONTENT;
      },
    },
  ];
}

function placeOf(world: World, channelId: string): Place {
  const { guild, channel } = accessibleChannel(world, channelId);
  const send = channel.thread ? 'SEND_MESSAGES_IN_THREADS' : 'SEND_MESSAGES';
  if (!may(guild, channel, world.botMember(guild), send)) throw new DiscordError('missingPermissions');
  if (channel.thread?.locked) throw new DiscordError('threadArchived');
  return { guild, channel, flags: MESSAGE_FLAGS_SETTABLE, ephemeral: false, prefix: [], answersInteraction: false };
}

function sameNonce(world: World, channel: Channel, nonce: string | number | undefined): Message | undefined {
  if (nonce === undefined) return undefined;
  const since = world.clock.nowMs() - NONCE_MEMORY_MS;
  return [...channel.messages.values()].find(
    (message) => message.nonce === nonce && message.author.id === world.bot.id && message.createdAtMs >= since,
  );
}

/** Newest first, as Discord pages: `limit` up to 100, `before`, `after` or `around` an id. */
function page(channel: Channel, query: URLSearchParams): Message[] {
  const limit = Math.min(100, Math.max(1, Number(query.get('limit') ?? 50)));
  const visible = [...channel.messages.values()].filter(({ visibleTo }) => visibleTo === undefined);
  const newestFirst = visible.toSorted((a, b) => bySnowflake(b, a));
  const before = query.get('before');
  const after = query.get('after');
  const around = query.get('around');
  if (before !== null) return newestFirst.filter((message) => bySnowflake(message, { id: before }) < 0).slice(0, limit);
  if (after !== null) return newestFirst.filter((message) => bySnowflake(message, { id: after }) > 0).slice(-limit);
  if (around !== null) {
    const at = newestFirst.findIndex((message) => bySnowflake(message, { id: around }) <= 0);
    const start = Math.max(0, (at === -1 ? newestFirst.length : at) - Math.floor(limit / 2));
    return newestFirst.slice(start, start + limit);
  }
  return newestFirst.slice(0, limit);
}
