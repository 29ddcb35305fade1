/**
 * The sandbox's control API: everything the outside can do to the sandbox's Discord, its people and its model. Each
 * method is `POST {controlUrl}/{method}` with one JSON object in and one out; bytes travel as base64 strings. What
 * happens is told on `WS {controlUrl}/events`, one {@link SandboxEvent} as JSON a message. The demo, the tests, the
 * benches and the page all use this and nothing else.
 *
 * All times called `atMs` are the sandbox process's monotonic clock, so that two of them can be subtracted.
 */
export interface ControlMethods extends WorldControl, PeopleControl, VoiceControl, ModelControl {}

/** Bytes as base64. */
export type Base64 = string;

// ---- the world ---------------------------------------------------------------------------------------------------

export interface WorldControl {
  world(args: Record<string, never>): Promise<WorldSnapshot>;
  createGuild(args: { name: string }): Promise<GuildSnapshot>;
  /** `stage` exists so that bots can be shown to cope with one. */
  createChannel(args: {
    guildId: string;
    name: string;
    kind: 'text' | 'voice' | 'stage';
    userLimit?: number;
  }): Promise<ChannelSnapshot>;
  createPerson(args: { guildId: string; name: string; locale?: string; bot?: boolean }): Promise<PersonSnapshot>;
  deleteChannel(args: { channelId: string }): Promise<void>;
  deleteGuild(args: { guildId: string }): Promise<void>;
  /** An outage: the guild is unavailable to the bot until it is made available again. */
  setGuildAvailable(args: { guildId: string; available: boolean }): Promise<void>;
  /** Replaces what a member (the bot included) is denied, and allowed, in a channel: names as in Discord's documentation, `SEND_MESSAGES`. */
  setDenied(args: {
    channelId: string;
    userId: string;
    deny: readonly string[];
    allow?: readonly string[];
  }): Promise<void>;
  /** A moderator moves a member (`channelId`) or disconnects them (`null`). Members are people or the bot. */
  moveMember(args: { guildId: string; userId: string; channelId: string | null }): Promise<void>;
  /** What a moderator can do to a member's voice. */
  setServerVoice(args: {
    guildId: string;
    userId: string;
    serverMute?: boolean;
    serverDeaf?: boolean;
    suppress?: boolean;
  }): Promise<void>;
  gatewayFault(args: GatewayFault): Promise<void>;
  restFault(args: RestFault): Promise<void>;
  /** Requests the bot made to the REST API, oldest first, so that tests can count them. */
  restRequests(args: Record<string, never>): Promise<RestRequestRecord[]>;
}

export interface WorldSnapshot {
  readonly bot: {
    readonly id: string;
    readonly name: string;
    readonly applicationId: string;
    readonly online: boolean;
  };
  readonly guilds: readonly GuildSnapshot[];
  /** Commands the bot has registered, as Discord's API describes them. */
  readonly commands: readonly Record<string, unknown>[];
}

export interface GuildSnapshot {
  readonly id: string;
  readonly name: string;
  readonly channels: readonly ChannelSnapshot[];
  readonly people: readonly PersonSnapshot[];
  readonly voiceStates: readonly VoiceStateSnapshot[];
}

export interface ChannelSnapshot {
  readonly id: string;
  readonly name: string;
  readonly kind: 'text' | 'voice' | 'stage' | 'thread';
  readonly parentId?: string;
}

export interface PersonSnapshot {
  readonly id: string;
  readonly name: string;
  readonly bot: boolean;
}

export interface VoiceStateSnapshot {
  readonly userId: string;
  readonly channelId: string;
  readonly selfMute: boolean;
  readonly selfDeaf: boolean;
}

export type GatewayFault =
  /** Closes the bot's gateway socket with this code. */
  | { kind: 'close'; code: number }
  /** Cuts the TCP connection without a close frame. */
  | { kind: 'cut' }
  /** Opcode 7. */
  | { kind: 'reconnect' }
  /** Opcode 9. */
  | { kind: 'invalid-session'; resumable: boolean }
  /** Sends this dispatch as it is. */
  | { kind: 'dispatch'; event: string; data: unknown }
  /** Sends this text frame as it is. */
  | { kind: 'raw'; text: string }
  /** The next VOICE_SERVER_UPDATE events are withheld, or carry a null endpoint. */
  | { kind: 'voice-server-update'; mode: 'withhold' | 'null-endpoint'; times: number };

export interface RestFault {
  /** `METHOD /path` as a regular expression without the `/api/v10` prefix, for example `POST /channels/\\d+/messages`. */
  route: string;
  times: number;
  /** Answer with this status and body instead of doing it. `status` 0 resets the connection. */
  status: number;
  body?: string;
  headers?: Record<string, string>;
  /** Wait this long first. With `status` 200 the request is then carried out as usual. */
  delayMs?: number;
}

export interface RestRequestRecord {
  readonly atMs: number;
  readonly method: string;
  /** Without the `/api/v10` prefix; tokens in it replaced by `:token`. */
  readonly path: string;
  readonly status: number;
}

// ---- people in text ----------------------------------------------------------------------------------------------

export interface PeopleControl {
  sendMessage(args: {
    personId: string;
    channelId: string;
    content: string;
    attachments?: Upload[];
  }): Promise<MessageSnapshot>;
  /** A recording of any rate as a native voice message: Ogg Opus, with its duration and waveform. */
  sendVoiceMessage(args: { personId: string; channelId: string; wav: Base64 }): Promise<MessageSnapshot>;
  /** Runs a slash command the bot has registered, validated against its registration as Discord's client would. */
  runCommand(args: {
    personId: string;
    channelId: string;
    /** `ask`, or `settings voice` for a subcommand. */
    command: string;
    options?: Record<string, string | number | boolean | Upload>;
  }): Promise<{ interactionId: string }>;
  /** A message context-menu command. */
  runMessageCommand(args: {
    personId: string;
    channelId: string;
    messageId: string;
    command: string;
  }): Promise<{ interactionId: string }>;
  autocomplete(args: {
    personId: string;
    channelId: string;
    command: string;
    option: string;
    value: string;
  }): Promise<{ choices: { name: string; value: string | number }[] }>;
  pressButton(args: {
    personId: string;
    channelId: string;
    messageId: string;
    customId: string;
  }): Promise<{ interactionId: string }>;
  selectOptions(args: {
    personId: string;
    channelId: string;
    messageId: string;
    customId: string;
    values: string[];
  }): Promise<{ interactionId: string }>;
  /** Submits the modal that an interaction opened. */
  submitModal(args: {
    personId: string;
    interactionId: string;
    fields: Record<string, string>;
  }): Promise<{ interactionId: string }>;
  /** Where an interaction stands. */
  interaction(args: { interactionId: string }): Promise<InteractionSnapshot>;
  /** Moves an interaction's token towards its 15 minutes, as if this much time had passed. */
  ageInteraction(args: { interactionId: string; byMs: number }): Promise<void>;
  /** Messages of a channel, oldest first: the ones everybody sees and, for `personId`, those only they see. */
  messages(args: { channelId: string; personId?: string }): Promise<MessageSnapshot[]>;
}

export interface Upload {
  readonly name: string;
  readonly contentType?: string;
  readonly data: Base64;
  /** Size to claim in the attachment object, when it should differ from the truth. */
  readonly claimedSize?: number;
}

export interface InteractionSnapshot {
  readonly id: string;
  /** `failed`: the bot did not acknowledge within 3 s, what Discord shows as "The application did not respond". */
  readonly state: 'waiting' | 'deferred' | 'answered' | 'failed';
  readonly createdAtMs: number;
  readonly acknowledgedAtMs?: number;
  /** The response and follow-ups, in order. */
  readonly messages: readonly MessageSnapshot[];
  readonly modal?: Record<string, unknown>;
}

export interface MessageSnapshot {
  readonly id: string;
  readonly channelId: string;
  readonly authorId: string;
  readonly authorName: string;
  readonly content: string;
  readonly ephemeral: boolean;
  readonly voiceMessage: boolean;
  /** Users this message pinged. */
  readonly pinged: readonly string[];
  readonly attachments: readonly AttachmentSnapshot[];
  readonly embeds: readonly Record<string, unknown>[];
  readonly components: readonly Record<string, unknown>[];
  /** The message it is a reply to. */
  readonly repliesTo?: string;
  /** How many times it was edited. */
  readonly edits: number;
  readonly createdAtMs: number;
  readonly editedAtMs?: number;
}

export interface AttachmentSnapshot {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly contentType?: string;
  readonly url: string;
  readonly durationSecs?: number;
  readonly waveform?: Base64;
}

// ---- people in voice ---------------------------------------------------------------------------------------------

export interface VoiceControl {
  join(args: { personId: string; channelId: string; selfMute?: boolean; selfDeaf?: boolean }): Promise<void>;
  leave(args: { personId: string }): Promise<void>;
  setSelfVoice(args: { personId: string; selfMute?: boolean; selfDeaf?: boolean }): Promise<void>;
  /**
   * Speaks a WAV of any rate, as Discord's client would: opcode 5, 20 ms Opus frames on a steady clock, five silence
   * frames. Resolves when the last packet has left. Rejects when the person is in no voice channel.
   */
  speak(args: { personId: string; wav: Base64 }): Promise<SpokenReport>;
  /** Ends what the person is saying now, with its five silence frames. */
  stopSpeaking(args: { personId: string }): Promise<void>;
  /** English speech by the sandbox's synthesiser, as a 24 kHz mono WAV. */
  synthesize(args: { text: string; voice?: SandboxVoice }): Promise<{ wav: Base64 }>;
  /**
   * What a person has heard of another member (usually the bot) since `sinceMs`: packets as they arrived, and the sound on
   * the sender's RTP timeline, 24 kHz mono, starting at the first packet. `sound: false` leaves the sound out.
   */
  heard(args: { personId: string; fromUserId: string; sinceMs?: number; sound?: boolean }): Promise<Heard>;
  /** What happens to packets on their way to the bot. Random choices follow `seed`. Replaces the former setting. */
  setNetwork(args: NetworkConditions): Promise<void>;
  voiceFault(args: VoiceFault): Promise<void>;
  /** For calls that start from now on. */
  setVoiceDefaults(args: {
    /** Transport ciphers offered, best first. */
    modes?: readonly ('aead_aes256_gcm_rtpsize' | 'aead_xchacha20_poly1305_rtpsize')[];
    daveVersion?: 0 | 1;
    /** Close with 4017 whoever does not offer DAVE. Default true while `daveVersion` is 1. */
    daveRequired?: boolean;
  }): Promise<void>;
}

/** `slt` and `kal` are women's and men's voices of the synthesiser. */
export type SandboxVoice = 'slt' | 'rms' | 'awb' | 'kal';

export interface SpokenReport {
  readonly firstPacketAtMs: number;
  /** When the last packet that was not a silence frame left. */
  readonly lastVoicePacketAtMs: number;
  readonly voicePackets: number;
  readonly interrupted: boolean;
}

export interface Heard {
  readonly packets: readonly HeardPacket[];
  readonly wav: Base64;
}

export interface HeardPacket {
  readonly atMs: number;
  readonly sequence: number;
  readonly timestamp: number;
  /** One of Opus's silence frames. */
  readonly silence: boolean;
  /** Root mean square of the decoded packet, 0 to 1. */
  readonly level: number;
}

export interface NetworkConditions {
  readonly seed: number;
  readonly lossRate?: number;
  readonly duplicateRate?: number;
  readonly reorderRate?: number;
  readonly jitterMs?: number;
}

export type VoiceFault =
  /** Closes the bot's voice socket with this code. */
  | { kind: 'close'; code: number }
  | { kind: 'cut' }
  /** Sends this frame to the bot's voice socket as it is. */
  | { kind: 'frame'; text?: string; binary?: Base64 }
  /** Sends datagrams to the bot's UDP port, from the voice server's own socket or from a stranger's. */
  | { kind: 'datagrams'; from: 'server' | 'stranger'; data: readonly Base64[] }
  /** The next `times` IP discovery requests get no answer. */
  | { kind: 'drop-discovery'; times: number }
  /** The call moves to another voice server. */
  | { kind: 'move-server' }
  /** The next `times` opcode 5 messages about people are sent `delayMs` late. */
  | { kind: 'late-speaking'; delayMs: number; times: number }
  /** The next `times` voice packets from people are encrypted with a wrong key. `layer` says which one. */
  | { kind: 'wrong-key'; layer: 'transport' | 'dave'; times: number }
  /** The call's DAVE version changes to 0 or back to 1. */
  | { kind: 'dave-version'; version: 0 | 1 };

// ---- the model ---------------------------------------------------------------------------------------------------

export interface ModelControl {
  setModel(args: ModelSettings): Promise<void>;
  /** The next `times` requests that match fail this way. */
  modelFault(args: { fault: ModelFault; times: number; endpoint?: 'chat' | 'transcription' | 'token' }): Promise<void>;
  /** Requests the model has had, oldest first; `limit` of them if given. `sound: false` leaves all sound out. */
  modelRequests(args: { sinceMs?: number; limit?: number; sound?: boolean }): Promise<ModelRequestRecord[]>;
  /** Audio ids issued so far are forgotten, as if an hour had passed. */
  expireAudio(args: Record<string, never>): Promise<void>;
}

export interface ModelSettings {
  /** From the request's last byte to the first audio byte. Default 300. */
  readonly firstAudioMs?: number;
  /** Sound in each chunk. Default 200. */
  readonly chunkMs?: number;
  /** How much faster than real time chunks arrive. Default 4. */
  readonly speed?: number;
  /** Life of audio ids. Default one hour. */
  readonly audioLifeMs?: number;
  /** Replaces the echo by these words, spoken. `null` restores the echo. */
  readonly reply?: string | null;
  /** Leading silence put before the reply's sound. Default 0. */
  readonly leadingSilenceMs?: number;
  /** Answer without audio: words only, as a drifting model does. Default false. */
  readonly textOnly?: boolean;
  /** Call the tool `stay_silent` in place of a streamed answer, where a request offers it. Default false. */
  readonly declines?: boolean;
}

export type ModelFault =
  | { kind: 'delay'; ms: number }
  /** An error response of this status, with the API's own body for it. 429 may carry `retryAfterSecs`; 410 is a retired model. */
  | { kind: 'status'; status: 400 | 401 | 403 | 404 | 408 | 410 | 429 | 500 | 502 | 503; retryAfterSecs?: number }
  /** The connection stays open and nothing more is sent, before the headers or after this many chunks. */
  | { kind: 'stall'; afterChunks: number | 'headers' }
  /** The socket is destroyed, before the headers or after this many chunks. */
  | { kind: 'cut'; afterChunks: number | 'headers' }
  /** The stream ends cleanly with no finish reason and no `[DONE]`. */
  | { kind: 'no-end-marker'; afterChunks: number }
  | { kind: 'html' }
  | { kind: 'no-choices' }
  | { kind: 'bad-json' }
  | { kind: 'bad-base64' }
  /** Chunks whose PCM has an odd number of bytes, split in the middle of a sample. The sum is even: not an error. */
  | { kind: 'odd-bytes' }
  /** An `error` object inside the stream. */
  | { kind: 'error-in-stream'; afterChunks: number }
  | { kind: 'filter-prompt' }
  | { kind: 'filter-reply'; afterChunks: number }
  /** The content filter itself was down: 200 with `content_filter_error`. */
  | { kind: 'filter-down' }
  | { kind: 'audio-not-found' }
  /** It says these words, whatever it was to say. */
  | { kind: 'misread'; words: string };

export interface ModelRequestRecord {
  readonly id: string;
  readonly endpoint: 'chat' | 'transcription' | 'token';
  /** Path and query as asked. */
  readonly path: string;
  readonly auth: 'key' | 'bearer' | 'none';
  /** When the last byte of the request had arrived. */
  readonly atMs: number;
  readonly bodyBytes: number;
  /** The JSON body; audio data is replaced by `{ "audio": index }` into `audio`. */
  readonly body: unknown;
  readonly audio: readonly { readonly format: string; readonly bytes: number; readonly wav: Base64 }[];
  readonly status?: number;
  readonly firstByteAtMs?: number;
  readonly firstAudioAtMs?: number;
  readonly endedAtMs?: number;
  /** The client closed the connection before the answer was complete. */
  readonly abandoned: boolean;
  /** What was answered: the words, and the sound as a 24 kHz mono WAV. */
  readonly reply?: { readonly text: string; readonly wav?: Base64; readonly audioId?: string };
}

// ---- events ------------------------------------------------------------------------------------------------------

export type SandboxEvent =
  | { type: 'bot-online' | 'bot-offline'; atMs: number }
  | { type: 'commands-registered'; atMs: number; names: string[] }
  | { type: 'message-created' | 'message-updated'; atMs: number; message: MessageSnapshot }
  | { type: 'message-deleted'; atMs: number; channelId: string; messageId: string }
  | { type: 'interaction-updated'; atMs: number; interaction: InteractionSnapshot }
  | { type: 'voice-state'; atMs: number; guildId: string; userId: string; channelId: string | null }
  /** The bot's voice connection is ready to send and receive. */
  | { type: 'bot-voice-ready'; atMs: number; guildId: string; channelId: string; mode: string; daveVersion: number }
  | { type: 'bot-voice-gone'; atMs: number; guildId: string; code: number }
  /** A person begins or has ended a stretch of speech, whose last packet that was not silence went out at `lastVoiceAtMs`. */
  | { type: 'person-speaking'; atMs: number; personId: string; speaking: boolean; lastVoiceAtMs?: number }
  /** The bot's first packet after silence, or the end of its speech. */
  | { type: 'bot-speaking'; atMs: number; guildId: string; speaking: boolean; lastVoiceAtMs?: number }
  | { type: 'model-request'; atMs: number; requestId: string; endpoint: 'chat' | 'transcription' | 'token' }
  | { type: 'model-first-audio'; atMs: number; requestId: string }
  | { type: 'model-ended'; atMs: number; requestId: string; abandoned: boolean };
