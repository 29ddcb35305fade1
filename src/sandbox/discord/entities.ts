/** A JSON object as it goes over Discord's wire. */
export type JsonObject = Record<string, unknown>;

export interface User {
  readonly id: string;
  readonly name: string;
  readonly bot: boolean;
  /** The language of the user's client, such as `en-US`. */
  readonly locale: string;
}

export interface Role {
  readonly id: string;
  readonly name: string;
  readonly permissions: bigint;
  readonly position: number;
  /** The user id of the bot that Discord made this role for. */
  readonly botId?: string;
}

export interface Member {
  readonly user: User;
  /** Role ids, @everyone not among them. */
  readonly roles: string[];
  readonly joinedAt: string;
  nick?: string;
  /** What a moderator has set; it outlives calls. */
  serverMute: boolean;
  serverDeaf: boolean;
  timedOutUntilMs?: number;
}

interface Overwrite {
  readonly id: string;
  readonly kind: 'role' | 'member';
  readonly allow: bigint;
  readonly deny: bigint;
}

export interface Thread {
  readonly ownerId: string;
  readonly memberIds: Set<string>;
  readonly isPrivate: boolean;
  autoArchiveMinutes: number;
  archived: boolean;
  locked: boolean;
  archiveTimestamp: string;
}

export interface Channel {
  readonly id: string;
  readonly guildId: string;
  readonly kind: 'text' | 'voice' | 'stage' | 'thread';
  name: string;
  readonly position: number;
  readonly parentId?: string;
  /** 0: no limit. */
  readonly userLimit: number;
  readonly overwrites: Map<string, Overwrite>;
  /** In order of creation. */
  readonly messages: Map<string, Message>;
  readonly thread?: Thread;
  lastMessageId?: string;
}

export interface VoiceState {
  readonly guildId: string;
  readonly userId: string;
  channelId: string;
  readonly sessionId: string;
  selfMute: boolean;
  selfDeaf: boolean;
  /** May not speak here: no SPEAK permission, or the audience of a stage. */
  suppress: boolean;
  requestToSpeakAt?: string;
}

export interface Guild {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly roles: Map<string, Role>;
  readonly members: Map<string, Member>;
  readonly channels: Map<string, Channel>;
  /** By user id. */
  readonly voiceStates: Map<string, VoiceState>;
  readonly joinedAt: string;
  available: boolean;
}

export interface Attachment {
  readonly id: string;
  readonly name: string;
  /** What Discord says the size is: the truth, unless a person's upload claimed another. */
  readonly size: number;
  readonly contentType?: string;
  readonly description?: string;
  readonly title?: string;
  readonly durationSecs?: number;
  readonly waveform?: string;
  /** Path on the CDN, unsigned. */
  readonly path: string;
  readonly ephemeral: boolean;
}

export interface Message {
  readonly id: string;
  readonly channelId: string;
  readonly guildId: string;
  readonly author: User;
  /** Discord's message type number: 0 default, 19 reply, 20 slash command, 23 context menu, 21 thread starter. */
  readonly type: number;
  content: string;
  flags: number;
  embeds: readonly JsonObject[];
  components: readonly JsonObject[];
  attachments: readonly Attachment[];
  mentions: readonly string[];
  mentionRoles: readonly string[];
  mentionEveryone: boolean;
  pinged: readonly string[];
  readonly nonce?: string | number;
  readonly tts: boolean;
  readonly reference?: MessageReference;
  readonly interaction?: MessageInteraction;
  /** The only one who sees an ephemeral message. */
  readonly visibleTo?: string;
  threadId?: string;
  edits: number;
  createdAtMs: number;
  editedAtMs?: number;
  editedTimestamp?: string;
}

/** The message a reply is about. */
export interface MessageReference {
  readonly messageId: string;
  readonly channelId: string;
}

/** The interaction a message answers. */
export interface MessageInteraction {
  readonly id: string;
  readonly type: number;
  readonly userId: string;
  readonly name?: string;
  readonly originalResponseId?: string;
}

export const MESSAGE_FLAGS = {
  suppressEmbeds: 1 << 2,
  hasThread: 1 << 5,
  ephemeral: 1 << 6,
  loading: 1 << 7,
  suppressNotifications: 1 << 12,
  voiceMessage: 1 << 13,
  componentsV2: 1 << 15,
} as const;
