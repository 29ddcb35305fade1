import type { NarrateWords, SayWords } from './narration-words.ts';
import { english } from './english.ts';

/**
 * Every word Parley says or writes to people, command names included. A language is one file with one `Words` value; a
 * word that is missing there does not compile.
 */
export interface Words {
  readonly commands: {
    readonly join: CommandWords<'channel'>;
    readonly leave: CommandWords<never>;
    readonly ask: CommandWords<'prompt' | 'file' | 'reply'>;
    readonly help: CommandWords<never>;
    readonly memory: CommandWords<never>;
    readonly forget: CommandWords<'what'>;
    readonly privacy: CommandWords<never>;
    readonly voice: CommandWords<'name'>;
    readonly answers: CommandWords<'whom'>;
    readonly stats: CommandWords<never>;
    readonly transcribe: CommandWords<'file' | 'language' | 'format'>;
    readonly say: CommandWords<'text' | 'voice'>;
    readonly narrate: CommandWords<'text' | 'file' | 'voice' | 'pace' | 'manner' | 'format'>;
  };
  /** Names of the commands in the menu of a message, 1 to 32 characters. */
  readonly messageCommands: { readonly transcribe: string; readonly answerAloud: string };
  readonly replyChoices: { readonly text: string; readonly voice: string };
  readonly join: {
    /** Posted where the words appear, before the first sound is used. */
    listening(voiceChannel: string): string;
    /** Posted in the voice channel, for those who cannot see where the words appear. */
    listeningUnseen(voiceChannel: string): string;
    alreadyHere(voiceChannel: string): string;
  };
  readonly call: {
    /** Why Parley left or could not come, by cause. */
    readonly gone: Readonly<Record<CallEnding, string>>;
    readonly recovered: string;
    /** People speak and no sound arrives. */
    readonly deaf: string;
    movedTo(voiceChannel: string): string;
    /** Said in the voice channel's own chat. */
    readonly wordsHere: string;
    /** The server muted Parley: it answers in writing. */
    readonly serverMuted: string;
    readonly serverDeafened: string;
  };
  /** The message of a call that shows how it stands. */
  readonly panel: {
    status(facts: PanelStatus): string;
    readonly buttons: Readonly<Record<'answerMe' | 'stop' | 'muteMe' | 'forget' | 'leave', string>>;
    /** People who are not named. */
    more(count: number): string;
    /** To somebody who pressed the button to be answered. */
    readonly answering: string;
    ended(voiceChannel: string): string;
  };
  readonly voice: {
    changed(name: string): string;
    present(name: string, all: readonly string[]): string;
    /** In a menu that shows the present choice. */
    option(name: string): string;
  };
  readonly answers: {
    /** Whom Parley answers, as a part of a sentence. */
    readonly modes: Readonly<Record<AnswersWord, string>>;
    changed(mode: AnswersWord): string;
    present(mode: AnswersWord): string;
    option(mode: AnswersWord): string;
  };
  readonly stats: {
    readonly nothing: string;
    text(facts: StatsFacts, maxTurns: number): string;
  };
  readonly memory: {
    /** The store does not work just now. */
    readonly away: string;
    /** A turn was cut off by a crash. */
    readonly cutOff: string;
    readonly nothing: string;
    kept(facts: MemoryFacts): string;
    readonly takeAway: string;
    readonly fileName: string;
  };
  readonly forget: {
    readonly choices: { readonly channel: string; readonly me: string; readonly server: string };
    readonly confirm: { readonly channel: string; readonly me: string; readonly server: string };
    readonly yes: string;
    readonly no: string;
    done(turns: number): string;
    readonly kept: string;
  };
  readonly privacy: {
    readonly heard: string;
    readonly notHeard: string;
    readonly optOut: string;
    readonly optIn: string;
  };
  readonly help: { text(commands: { readonly name: string; readonly description: string }[]): string };
  readonly ask: { readonly noWords: string };
  /** To somebody who mentioned Parley and wrote nothing else. */
  readonly mention: {
    /** They are in the call. */
    readonly listening: string;
    readonly empty: string;
  };
  readonly say: SayWords;
  readonly transcribe: {
    /** How far it is. `bar` is empty and the times are missing where the file does not say how long it is. */
    progress(facts: ProgressFacts): string;
    readonly cancel: string;
    readonly cancelled: string;
    /** Nothing after this could be written down. */
    cutShort(atMs: number): string;
    /** The file is longer than is taken. */
    onlyBegun(name: string, atMs: number): string;
    noWords(name: string): string;
    done(name: string): string;
    /** The words are in the thread under the message. */
    readonly inThread: string;
    /** Parley stops now, and goes on with it at its next start. */
    readonly goesOn: string;
  };
  readonly narrate: NarrateWords;
  readonly errors: Readonly<Record<UserErrorId, string>>;
  /** What a person is told when the model could not answer. */
  readonly modelErrors: Readonly<Record<ModelTrouble, string>>;
  /** What a person is told about a file Parley could not use. `name` is the file's name. */
  readonly fileErrors: Readonly<Record<FileTrouble, (name: string) => string>>;
  /** Names of Discord permissions as its own settings show them. */
  readonly permissions: Readonly<Record<PermissionWord, string>>;
  /** What people say while Parley speaks, as phrases; accents, case, signs and drawn-out letters do not matter. */
  readonly overReply: {
    /** That they listen. */
    readonly backchannels: readonly string[];
    /** That they want it quiet. */
    readonly stops: readonly string[];
    /** What may stand around a wish for quiet and changes nothing. */
    readonly polite: readonly string[];
  };
  missingPermissions(channel: string, permissions: readonly string[]): string;
}

export type AnswersWord = 'always' | 'name' | 'button' | 'off';

/** How a call stands. */
export interface PanelStatus {
  readonly phase: 'listening' | 'thinking' | 'speaking' | 'paused';
  /** People as mentions. */
  readonly heard: readonly string[];
  readonly unheard: readonly string[];
  readonly voice: string;
  readonly answers: string;
}

export type StageWord = 'endOfTurnMs' | 'askedMs' | 'firstByteMs' | 'firstAudioMs' | 'firstPacketMs' | 'playedMs';

/** How long the turns of a channel took, for `/stats`. */
export interface StatsFacts {
  readonly turns: number;
  readonly stages: readonly { readonly stage: StageWord; readonly p50: number; readonly p95: number }[];
  readonly speculation: Readonly<Record<'hit' | 'miss' | 'off', number>>;
  readonly dropped: number;
  readonly heard: Readonly<Record<'whole' | 'part' | 'nothing', number>>;
}

/** How far a long piece of work is. */
export interface ProgressFacts {
  readonly bar: string;
  readonly doneMs: number;
  readonly totalMs: number | undefined;
  readonly leftMs: number | undefined;
}

/** What is kept of a conversation, for `/memory`. */
export interface MemoryFacts {
  readonly turns: number;
  readonly oldest: Date;
  readonly newest: Date;
  readonly people: readonly string[];
  readonly speechSeconds: number;
  readonly hasSummary: boolean;
  readonly retentionDays: number;
}

export interface CommandWords<Option extends string> {
  /** Lower case, 1 to 32 letters, digits, - and _: Discord's rule. */
  readonly name: string;
  /** 1 to 100 characters. */
  readonly description: string;
  readonly options: Readonly<Record<Option, { readonly name: string; readonly description: string }>>;
}

export type CallEnding =
  | 'left'
  | 'alone'
  | 'removed'
  | 'call-ended'
  | 'channel-deleted'
  | 'moved-without-permission'
  | 'connection-lost'
  | 'no-server'
  | 'join-timeout'
  | 'encryption-required'
  | 'rate-limited'
  | 'refused'
  | 'shutdown'
  | 'fault';

export type UserErrorId =
  | 'unexpected'
  | 'not-in-server'
  | 'no-voice-channel'
  | 'not-a-voice-channel'
  | 'may-not-enter'
  | 'nobody-there'
  | 'afk-channel'
  | 'channel-full'
  | 'not-in-call'
  | 'not-in-this-call'
  | 'not-heard'
  | 'old-panel'
  | 'prompt-too-long'
  | 'prompt-empty'
  | 'memory-away'
  | 'cannot-know-whom-to-hear'
  | 'opted-out'
  | 'author-opted-out'
  | 'needs-manage-messages'
  | 'needs-manage-server'
  | 'busy'
  | 'no-attachment'
  | 'unknown-language'
  | 'unknown-voice'
  | 'not-your-job'
  | 'nothing-to-read'
  | 'too-long-to-say'
  | 'no-sound'
  | 'not-gone-on'
  | 'shutting-down';

export type ModelTrouble =
  | 'busy'
  | 'unreachable'
  | 'timeout'
  | 'truncated'
  | 'malformed'
  | 'filtered-prompt'
  | 'filtered-reply'
  | 'filter-down'
  | 'sign-in'
  | 'not-permitted'
  | 'wrong-key'
  | 'no-deployment'
  | 'retired'
  | 'audio-not-found'
  | 'too-large'
  | 'too-long'
  | 'unsupported-audio'
  | 'refused'
  | 'server-fault';

export type FileTrouble =
  | 'not-allowed'
  | 'too-large'
  | 'too-slow'
  | 'gone'
  | 'unreachable'
  | 'empty'
  | 'unsupported'
  | 'damaged'
  | 'too-long'
  | 'sample-rate'
  | 'channels'
  | 'no-sound'
  | 'silent'
  | 'encrypted'
  | 'needs-ffmpeg'
  | 'not-a-text'
  | 'no-text'
  | 'text-too-long'
  | 'damaged-text'
  | 'encrypted-text';

export type PermissionWord =
  | 'ViewChannel'
  | 'Connect'
  | 'Speak'
  | 'SendMessages'
  | 'SendMessagesInThreads'
  | 'CreatePublicThreads'
  | 'AttachFiles'
  | 'SendVoiceMessages'
  | 'ReadMessageHistory';

/** The words for a Discord locale such as `en-GB` or `fr`. English stands in for languages that are not there yet. */
export function wordsFor(_locale: string): Words {
  return english;
}
