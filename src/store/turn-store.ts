import type { JobStore } from './job-store.ts';
import type { ChosenSettings, SettingsStore } from './settings-store.ts';
import type { StoreError } from './store-error.ts';

/**
 * What is kept. A turn's life:
 *
 * ```ts
 * const turn = { id: 'interaction:123', conversationId, guildId, atMs: Date.now(), utterances };
 * const past = await store.conversations.load(conversationId, 40);
 * const receipt = await store.turns.receive(turn, 'asked');  // or as `received`, when it has to wait before it is asked
 * if (receipt === 'duplicate') return;                       // another process, or this one before, answers it
 * // … ask the model; before its first sound:
 * if ((await store.turns.advance(turn.id, 'speaking')) === 'refused') return; // forgotten or taken over meanwhile
 * // … when the last frame was played:
 * await store.turns.finish(turn.id, { state: 'done', atMs: Date.now(), reply, usage, failure: undefined });
 * await store.turns.addTranscript(turn.id, 0, 'what was said');
 * ```
 *
 * Whatever resolved is on the disk. Every method may reject with a `StoreError`; nothing else is thrown. Methods that must
 * not hold a conversation up (`receive`, `advance`, `load`), and `record`, give up after two seconds, and at once while the
 * store is known to be down. The others wait out a fault of a minute, so do not make anyone wait for them.
 */
export interface TurnStore extends AsyncDisposable {
  readonly turns: Turns;
  readonly conversations: Conversations;
  readonly privacy: Privacy;
  readonly jobs: JobStore;
  readonly settings: SettingsStore;
  readonly health: Health;
  /** Resolves once the database has been opened. @throws {StoreError} with why it could not be at the first try. */
  ready(): Promise<void>;
}

/** How the store is. */
export type StoreState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'ok' }
  /** Since the last success. It goes on trying by itself. */
  | { readonly kind: 'failing'; readonly error: StoreError };

export interface Health {
  readonly state: StoreState;
  /** Calls `listener` with every change from now on, until disposed. */
  onChange(listener: (state: StoreState) => void): Disposable;
}

/** Turns as a state machine: received → asked → speaking → done, interrupted or failed. An ended turn never changes state. */
export interface Turns {
  /**
   * Keeps a turn that begins; as `asked`, both steps in one write, when the model is asked as soon as this resolves.
   * `duplicate`: one with this id is kept already, here or by another process.
   */
  receive(turn: BeginningTurn, state?: 'received' | 'asked'): Promise<'received' | 'duplicate'>;
  /** `refused`: the turn is not open, or another process owns it now, or it was forgotten. Stop working on it, quietly. */
  advance(turnId: string, state: 'asked' | 'speaking'): Promise<'changed' | 'refused'>;
  /** Ends a turn of this process. Ending it again in the same way is no error. */
  finish(turnId: string, ending: Ending): Promise<'changed' | 'refused'>;
  /**
   * Keeps a turn that was answered although `receive` had failed: nobody loses what was said while the store was away.
   * When `receive` was kept after all, this ends that turn. Try again while it cannot: not without asking each time whether
   * the turn is still wanted, as it begins a conversation anew that was forgotten meanwhile.
   */
  record(turn: IncomingTurn, ending: Ending): Promise<'changed' | 'refused'>;
  /** Takes an open turn of this process back: it is as if it had never been received. */
  discard(turnId: string): Promise<'changed' | 'refused'>;
  /** The ids of the turns of this process that are open. */
  open(): Promise<readonly string[]>;
  /** Adds what was said in an utterance's speech. `refused`: it is not there any more. */
  addTranscript(turnId: string, ordinal: number, transcript: string): Promise<'changed' | 'refused'>;
  /**
   * Closes as interrupted every open turn whose process is dead, and returns each of them to one caller only, whichever
   * process calls; again, until {@link Turns.noticeSent}, when that process died before it told anyone, and after
   * {@link Turns.noticeFailed}. Call it at start and every quarter of a minute or so.
   */
  takeOver(): Promise<readonly AbandonedTurn[]>;
  /** The people of an abandoned turn were told, or never will be; those of an unseen one have seen it. */
  noticeSent(turnId: string): Promise<void>;
  /** They could not be told now. */
  noticeFailed(turnId: string): void;
}

/** What is needed to begin a turn. */
export interface IncomingTurn {
  /** From its source, such as `interaction:ID`, `message:ID`, `call:ID:SEQUENCE`: the same event has the same id always. */
  readonly id: string;
  readonly conversationId: string;
  /** The server, or `@me` outside of one, as in Discord's own addresses. */
  readonly guildId: string;
  /** When it was said: wall-clock time, milliseconds since the epoch. */
  readonly atMs: number;
  /** In the order they began. */
  readonly utterances: readonly UtteranceRecord[];
}

/** A turn as it begins. */
export interface BeginningTurn extends IncomingTurn {
  /**
   * The channel in which the answer's words appear, when that is not the conversation's own: a call's words are written in
   * another channel than it speaks in. Its people are told there when a crash cuts the answer off.
   */
  readonly shownIn?: string | undefined;
}

/** What one person said or wrote. Any text is kept exactly, lone surrogates and NUL included. */
export interface UtteranceRecord {
  readonly speakerId: string;
  readonly speakerName: string;
  /** When it began, counted from the start of the turn. */
  readonly offsetMs: number;
  readonly text: string | undefined;
  /** What is said in `speech`, once it was written down. */
  readonly transcript: string | undefined;
  readonly speech: SpeechRecord | undefined;
}

export interface SpeechRecord {
  readonly format: 'wav' | 'mp3';
  readonly durationMs: number;
  /** `undefined`: the sound is no longer kept. */
  readonly data: Uint8Array | undefined;
}

export interface Ending {
  readonly state: EndState;
  /** Wall-clock time, milliseconds since the epoch. */
  readonly atMs: number;
  /** What reached people; `undefined`: nothing did. */
  readonly reply: ReplyRecord | undefined;
  readonly usage: UsageRecord | undefined;
  /** Why it failed, as a fixed word such as a model error's kind; never a text from outside. */
  readonly failure: string | undefined;
  /** Its people have yet to see it: until {@link Turns.noticeSent} a crash of this process is told to them. */
  readonly isUnseen?: boolean;
}

export type EndState = 'done' | 'interrupted' | 'failed';

export interface ReplyRecord {
  /** The words that were heard or read: less than the model said when the reply was cut. */
  readonly text: string;
  /** The server's copy of the spoken reply; only when it was heard whole. */
  readonly audio: { readonly id: string; readonly expiresAtMs: number } | undefined;
}

/** Tokens as the model counted them. */
interface UsageRecord {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly inputAudioTokens: number;
  readonly outputAudioTokens: number;
  readonly cachedInputTokens: number;
}

/** A turn that a process left open when it died. */
export interface AbandonedTurn {
  readonly id: string;
  readonly conversationId: string;
  /** The channel in which its answer's words appeared. */
  readonly shownIn: string;
  readonly guildId: string;
  readonly receivedAtMs: number;
  /** When its process was found dead: milliseconds since the epoch. */
  readonly closedAtMs: number;
}

/** A turn that has ended. */
export interface TurnRecord extends IncomingTurn, Omit<Ending, 'atMs'> {
  readonly endedAtMs: number;
  /** Its place in the conversation: 1, 2, … in the order in which turns ended, so that a history only ever grows. */
  readonly position: number;
}

export interface Conversations {
  /** The summary, and the newest `limit` ended turns after it, oldest first. */
  load(conversationId: string, limit: number): Promise<Past>;
  /**
   * Puts a summary in place of the one before it. `refused`: someone's words were taken out since `revision` was loaded, or
   * a summary that reaches further is there.
   */
  putSummary(conversationId: string, summary: SummaryRecord, revision: string): Promise<'changed' | 'refused'>;
  /** Drops the sound of all but the newest `turns` ended turns. Turns that are open keep theirs. */
  keepSpeechOfNewest(conversationId: string, turns: number): Promise<void>;
  describe(conversationId: string): Promise<ConversationDescription>;
  /** Everything that is kept of one conversation, turns that are open included, readable; nothing when nothing is kept. */
  export(conversationId: string): AsyncIterable<ExportRecord>;
}

export interface Past {
  readonly summary: SummaryRecord | undefined;
  readonly turns: readonly TurnRecord[];
  /** The state of the conversation's deletions, for {@link Conversations.putSummary}. */
  readonly revision: string;
}

export interface SummaryRecord {
  readonly text: string;
  /** The position of the newest turn it covers. */
  readonly throughPosition: number;
  readonly madeAtMs: number;
}

/** What is kept of a conversation, without what was said. */
export interface ConversationDescription {
  readonly turns: number;
  readonly oldestAtMs: number | undefined;
  readonly newestAtMs: number | undefined;
  readonly hasSummary: boolean;
  readonly speechMs: number;
  readonly speechBytes: number;
  /** Whoever said most first. */
  readonly people: readonly { readonly id: string; readonly name: string; readonly utterances: number }[];
}

/** One line of an export. */
export type ExportRecord =
  | {
      readonly type: 'conversation';
      readonly id: string;
      readonly guildId: string;
      /** Who ever took part: whose words its summary may hold. Missing in exports from before they had it. */
      readonly participants?: readonly string[] | undefined;
    }
  | ({ readonly type: 'turn' } & TurnRecord)
  | ({ readonly type: 'summary'; readonly conversationId: string } & SummaryRecord)
  | { readonly type: 'opt-out'; readonly personId: string; readonly sinceMs: number }
  | ({ readonly type: 'channel-settings'; readonly channelId: string; readonly guildId: string } & ChosenSettings)
  | { readonly type: 'guild-deletion'; readonly guildId: string; readonly dueMs: number };

export interface Privacy {
  /** Everybody who does not want to be heard, from whichever process they said so. Keep it at hand with `OptOutList`. */
  optedOut(): Promise<ReadonlySet<string>>;
  /**
   * Whoever opts out has the sound that is kept of them deleted, too; their words stay until they are forgotten. A rejection
   * need not mean that nothing was changed: {@link StoreError}.
   */
  setOptedOut(personId: string, optedOut: boolean, atMs: number): Promise<void>;
  /**
   * Deletes a conversation and its key; turns that are open go too. Resolves when it has left an SQLite file, and when
   * PostgreSQL has cleaned up, or had some time for it.
   */
  forgetConversation(conversationId: string): Promise<Forgotten>;
  /**
   * Deletes what a person said, in one server or (`undefined`) everywhere, with the replies to it, every summary that may
   * hold it, and the long work they asked for. Others' words in the same turns stay. What later replies made of it is theirs and stays, too.
   * So do the keys of the conversations: older copies of the database, such as backups, still open.
   */
  forgetPerson(personId: string, guildId: string | undefined): Promise<Forgotten>;
  forgetGuild(guildId: string): Promise<Forgotten>;
  /** The servers of which anything is kept. */
  guilds(): Promise<readonly string[]>;
  /** The server's data is deleted by the first {@link Privacy.sweep} after `dueAtMs`, or sooner when that was said before. */
  scheduleGuildDeletion(guildId: string, dueAtMs: number): Promise<void>;
  /** We are back on the server in time. */
  cancelGuildDeletion(guildId: string): Promise<void>;
  /** Deletes what is due. Safe to run in several processes at once. */
  sweep(limits: SweepLimits): Promise<Swept>;
}

export interface Forgotten {
  /** Turns deleted, or changed because somebody else spoke in them, too. */
  readonly turns: number;
}

export interface SweepLimits {
  readonly nowMs: number;
  /** Turns that ended before go, and a summary goes with the newest turn it covers. */
  readonly turnsBeforeMs: number;
  /** Sound of turns that ended before goes, the newest included, and long work that began before and never ended. */
  readonly speechBeforeMs: number;
}

export interface Swept {
  readonly turns: number;
  readonly speeches: number;
  readonly guilds: number;
}
