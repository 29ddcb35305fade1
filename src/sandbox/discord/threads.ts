import { type Channel, type Guild, type Message, MESSAGE_FLAGS } from './entities.ts';
import { EMPTY_DRAFT, type MessageBoard } from './messages.ts';
import { channelPayload, threadMemberPayload } from './payloads.ts';
import type { World } from './world.ts';

export interface ThreadSettings {
  readonly name: string;
  readonly autoArchiveMinutes: number;
  readonly isPrivate: boolean;
  /** The message the thread begins with; its id becomes the thread's. */
  readonly starter?: Message;
}

/** Starts a thread in the bot's name and tells the bot. */
export function startThread(
  world: World,
  board: MessageBoard,
  guild: Guild,
  parent: Channel,
  settings: ThreadSettings,
): Channel {
  const { starter } = settings;
  const thread: Channel = {
    id: starter?.id ?? world.ids.next(),
    guildId: guild.id,
    kind: 'thread',
    name: settings.name,
    position: 0,
    parentId: parent.id,
    userLimit: 0,
    overwrites: new Map(),
    messages: new Map(),
    thread: {
      ownerId: world.bot.id,
      memberIds: new Set([world.bot.id]),
      isPrivate: settings.isPrivate,
      autoArchiveMinutes: settings.autoArchiveMinutes,
      archived: false,
      locked: false,
      archiveTimestamp: new Date().toISOString(),
    },
  };
  guild.channels.set(thread.id, thread);
  world.publish({
    event: 'THREAD_CREATE',
    data: { ...channelPayload(thread), newly_created: true, member: threadMemberPayload(thread, world.bot.id) },
    guildId: guild.id,
    channelId: parent.id,
  });
  if (starter) {
    starter.threadId = thread.id;
    starter.flags |= MESSAGE_FLAGS.hasThread;
    board.touch(starter);
    board.create(guild, thread, {
      ...EMPTY_DRAFT,
      type: 21,
      author: starter.author,
      reference: { messageId: starter.id, channelId: parent.id },
    });
  }
  return thread;
}
