import { z } from 'zod';
import type { Channel, Thread } from '../entities.ts';
import type { MessageBoard } from '../messages.ts';
import { CHANNEL_TYPES, channelPayload, threadMemberPayload } from '../payloads.ts';
import { may } from '../permissions.ts';
import { startThread } from '../threads.ts';
import type { World } from '../world.ts';
import { accessibleChannel, publicMessage } from './access.ts';
import { DiscordError } from './errors.ts';
import { integer, parseForm, text } from './form.ts';
import { LIMITS, NO_CONTENT, type Route } from './route.ts';

const archiveAfter = z.literal([60, 1440, 4320, 10_080]);

const threadSchema = z.looseObject({
  name: text(1, 100),
  auto_archive_duration: archiveAfter.nullish(),
  type: integer(CHANNEL_TYPES.publicThread, CHANNEL_TYPES.privateThread).nullish(),
});

const threadEditSchema = z.looseObject({
  name: text(1, 100).nullish(),
  archived: z.boolean().nullish(),
  locked: z.boolean().nullish(),
  auto_archive_duration: archiveAfter.nullish(),
});

const DEFAULT_ARCHIVE_MINUTES = 4320;

/** `/channels/{id}` and its threads. */
export function channelRoutes(world: World, board: MessageBoard): Route[] {
  const common = { limit: LIMITS.other, major: ['channelId'] } as const;
  return [
    {
      ...common,
      method: 'GET',
      path: '/channels/:channelId',
      handle: (call) => ({
        status: 200,
        json: channelPayload(accessibleChannel(world, call.param('channelId')).channel),
      }),
    },
    {
      ...common,
      method: 'POST',
      path: '/channels/:channelId/messages/:messageId/threads',
      async handle(call) {
        const { json } = await call.body();
        const form = parseForm(threadSchema, json);
        const { guild, channel } = accessibleChannel(world, call.param('channelId'), 'CREATE_PUBLIC_THREADS');
        if (channel.kind !== 'text') throw new DiscordError('wrongChannelType');
        const starter = publicMessage(channel, call.param('messageId'));
        if (starter.threadId !== undefined) throw new DiscordError('threadExists');
        const autoArchiveMinutes = form.auto_archive_duration ?? DEFAULT_ARCHIVE_MINUTES;
        const settings = { name: form.name, autoArchiveMinutes, isPrivate: false, starter };
        return { status: 201, json: channelPayload(startThread(world, board, guild, channel, settings)) };
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/channels/:channelId/threads',
      async handle(call) {
        const { json } = await call.body();
        const form = parseForm(threadSchema, json);
        const isPrivate = form.type !== CHANNEL_TYPES.publicThread;
        const needs = isPrivate ? 'CREATE_PRIVATE_THREADS' : 'CREATE_PUBLIC_THREADS';
        const { guild, channel } = accessibleChannel(world, call.param('channelId'), needs);
        if (channel.kind !== 'text') throw new DiscordError('wrongChannelType');
        const autoArchiveMinutes = form.auto_archive_duration ?? DEFAULT_ARCHIVE_MINUTES;
        const settings = { name: form.name, autoArchiveMinutes, isPrivate };
        return { status: 201, json: channelPayload(startThread(world, board, guild, channel, settings)) };
      },
    },
    {
      ...common,
      method: 'PATCH',
      path: '/channels/:channelId',
      async handle(call) {
        const { json } = await call.body();
        const form = parseForm(threadEditSchema, json);
        const { channel, thread } = manageableThread(world, call.param('channelId'));
        channel.name = form.name ?? channel.name;
        thread.archived = form.archived ?? thread.archived;
        thread.locked = form.locked ?? thread.locked;
        thread.autoArchiveMinutes = form.auto_archive_duration ?? thread.autoArchiveMinutes;
        publishThread(world, 'THREAD_UPDATE', channel);
        return { status: 200, json: channelPayload(channel) };
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/channels/:channelId',
      handle(call) {
        const { channel } = manageableThread(world, call.param('channelId'));
        world.guilds.get(channel.guildId)?.channels.delete(channel.id);
        publishThread(world, 'THREAD_DELETE', channel);
        return { status: 200, json: channelPayload(channel) };
      },
    },
    {
      ...common,
      method: 'PUT',
      path: '/channels/:channelId/thread-members/@me',
      handle(call) {
        const { channel } = accessibleChannel(world, call.param('channelId'));
        if (!channel.thread) throw new DiscordError('wrongChannelType');
        channel.thread.memberIds.add(world.bot.id);
        world.publish({
          event: 'THREAD_MEMBER_UPDATE',
          data: { ...threadMemberPayload(channel, world.bot.id), guild_id: channel.guildId },
          guildId: channel.guildId,
        });
        return NO_CONTENT;
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/channels/:channelId/thread-members/@me',
      handle(call) {
        const { channel } = accessibleChannel(world, call.param('channelId'));
        if (!channel.thread) throw new DiscordError('wrongChannelType');
        channel.thread.memberIds.delete(world.bot.id);
        return NO_CONTENT;
      },
    },
  ];
}

/** A thread of the bot's own, or any with MANAGE_THREADS. */
function manageableThread(world: World, channelId: string): { channel: Channel; thread: Thread } {
  const { guild, channel } = accessibleChannel(world, channelId);
  const { thread } = channel;
  const own = thread?.ownerId === world.bot.id;
  if (!thread || (!own && !may(guild, channel, world.botMember(guild), 'MANAGE_THREADS'))) {
    throw new DiscordError('missingPermissions');
  }
  return { channel, thread };
}

function publishThread(world: World, event: 'THREAD_UPDATE' | 'THREAD_DELETE', channel: Channel): void {
  const { id, guildId, parentId } = channel;
  const data =
    event === 'THREAD_UPDATE'
      ? channelPayload(channel)
      : { id, guild_id: guildId, parent_id: parentId, type: channelPayload(channel)['type'] };
  world.publish({ event, data, guildId, ...(parentId === undefined ? {} : { channelId: parentId }) });
}
