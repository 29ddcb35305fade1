import type { AttachmentSnapshot, MessageSnapshot } from '../control/protocol.ts';
import type { AttachmentStore } from './attachments.ts';
import {
  type Attachment,
  type Channel,
  type Guild,
  type JsonObject,
  type Message,
  MESSAGE_FLAGS,
  type MessageInteraction,
  type MessageReference,
  type User,
} from './entities.ts';
import { type Mentions, NO_MENTIONS } from './mentions.ts';
import { messageGatewayPayload, messagePayload } from './message-payload.ts';
import type { World } from './world.ts';

/** The type of a message that replies to another. */
const REPLY = 19;

/** Messages a channel keeps; the oldest are forgotten first. */
const MAX_MESSAGES = 10_000;

export interface Draft {
  readonly author: User;
  readonly type: number;
  readonly content: string;
  readonly flags: number;
  readonly embeds: readonly JsonObject[];
  readonly components: readonly JsonObject[];
  readonly attachments: readonly Attachment[];
  readonly mentions: Mentions;
  readonly nonce?: string | number;
  readonly tts?: boolean;
  readonly reference?: MessageReference;
  readonly interaction?: MessageInteraction;
  readonly visibleTo?: string;
  /** Threads that begin with a message take its id. */
  readonly id?: string;
}

/** What an edit changes; what is absent stays. */
export type MessageChanges = Partial<
  Pick<Message, 'content' | 'flags' | 'embeds' | 'components' | 'attachments'> & { mentions: Mentions }
>;

export const EMPTY_DRAFT = {
  type: 0,
  content: '',
  flags: 0,
  embeds: [],
  components: [],
  attachments: [],
  mentions: NO_MENTIONS,
} as const satisfies Partial<Record<keyof Draft, unknown>>;

/** The messages of every channel: they are kept, told to the bot and to whoever watches the sandbox. */
export class MessageBoard {
  readonly #world: World;
  readonly #store: AttachmentStore;

  constructor(world: World, store: AttachmentStore) {
    this.#world = world;
    this.#store = store;
  }

  /** A message with LOADING is the placeholder of a deferred answer: nobody counts it as said until it is filled. */
  create(guild: Guild, channel: Channel, draft: Draft): Message {
    const { mentions, ...rest } = draft;
    const message: Message = {
      ...rest,
      id: draft.id ?? this.#world.ids.next(),
      channelId: channel.id,
      guildId: guild.id,
      tts: draft.tts ?? false,
      mentions: mentions.users,
      mentionRoles: mentions.roles,
      mentionEveryone: mentions.everyone,
      pinged: draft.visibleTo === undefined ? mentions.pinged : [],
      edits: 0,
      createdAtMs: this.#world.clock.nowMs(),
    };
    channel.messages.set(message.id, message);
    if (channel.messages.size > MAX_MESSAGES) {
      for (const oldest of channel.messages.keys()) {
        channel.messages.delete(oldest);
        break;
      }
    }
    if (message.visibleTo === undefined) channel.lastMessageId = message.id;
    this.#dispatch('MESSAGE_CREATE', message);
    if (!isLoading(message)) this.#tell('message-created', message);
    return message;
  }

  edit(message: Message, changes: MessageChanges): void {
    const fillsPlaceholder = isLoading(message);
    const { mentions, ...rest } = changes;
    Object.assign(message, rest);
    if (fillsPlaceholder) message.flags &= ~MESSAGE_FLAGS.loading;
    if (mentions) {
      message.mentions = mentions.users;
      message.mentionRoles = mentions.roles;
      message.mentionEveryone = mentions.everyone;
    }
    const nowMs = this.#world.clock.nowMs();
    if (fillsPlaceholder) {
      message.createdAtMs = nowMs;
      message.pinged = message.visibleTo === undefined ? (mentions?.pinged ?? []) : [];
    } else {
      message.edits += 1;
      message.editedAtMs = nowMs;
    }
    message.editedTimestamp = new Date().toISOString();
    this.#dispatch('MESSAGE_UPDATE', message);
    this.#tell(fillsPlaceholder ? 'message-created' : 'message-updated', message);
  }

  /** Tells the bot of a change that is no edit, such as a thread that began here. */
  touch(message: Message): void {
    this.#dispatch('MESSAGE_UPDATE', message);
  }

  delete(channel: Channel, message: Message): void {
    channel.messages.delete(message.id);
    if (message.visibleTo === undefined) {
      this.#world.publish({
        event: 'MESSAGE_DELETE',
        data: { id: message.id, channel_id: channel.id, guild_id: channel.guildId },
        guildId: channel.guildId,
        channelId: channel.id,
      });
    }
    if (isLoading(message)) return;
    this.#world.emit({
      type: 'message-deleted',
      atMs: this.#world.clock.nowMs(),
      channelId: channel.id,
      messageId: message.id,
    });
  }

  payload(message: Message): JsonObject {
    return messagePayload(this.#world, this.#store, message);
  }

  snapshot(message: Message): MessageSnapshot {
    return {
      id: message.id,
      channelId: message.channelId,
      authorId: message.author.id,
      authorName: message.author.name,
      content: message.content,
      ephemeral: message.visibleTo !== undefined,
      voiceMessage: (message.flags & MESSAGE_FLAGS.voiceMessage) !== 0,
      pinged: [...message.pinged],
      attachments: message.attachments.map((attachment) => this.#attachmentSnapshot(attachment)),
      embeds: structuredClone([...message.embeds]),
      components: structuredClone([...message.components]),
      ...(message.type === REPLY && message.reference ? { repliesTo: message.reference.messageId } : {}),
      edits: message.edits,
      createdAtMs: message.createdAtMs,
      ...(message.editedAtMs === undefined ? {} : { editedAtMs: message.editedAtMs }),
    };
  }

  #attachmentSnapshot(attachment: Attachment): AttachmentSnapshot {
    const { id, name, size, contentType, durationSecs, waveform } = attachment;
    return {
      id,
      name,
      size,
      url: this.#store.url(attachment),
      ...(contentType === undefined ? {} : { contentType }),
      ...(durationSecs === undefined ? {} : { durationSecs }),
      ...(waveform === undefined ? {} : { waveform }),
    };
  }

  #dispatch(event: 'MESSAGE_CREATE' | 'MESSAGE_UPDATE', message: Message): void {
    if (message.visibleTo !== undefined) return;
    this.#world.publish({
      event,
      data: messageGatewayPayload(this.#world, this.#store, message),
      guildId: message.guildId,
      channelId: message.channelId,
    });
  }

  #tell(type: 'message-created' | 'message-updated', message: Message): void {
    this.#world.emit({ type, atMs: this.#world.clock.nowMs(), message: this.snapshot(message) });
  }
}

export function isLoading(message: Message): boolean {
  return (message.flags & MESSAGE_FLAGS.loading) !== 0;
}
