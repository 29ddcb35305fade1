import type { Frame } from '../audio/frame.ts';

/** A model we can converse with. Nothing outside `model/` knows which transport answers. */
export interface Model {
  /**
   * Answers a conversation whose last message is the user's. Yields events as they arrive and exactly one `done` last.
   * Nothing is read ahead, so a slow consumer costs no memory and is not taken for a silent model. Leaving the loop early
   * or aborting the signal closes the connection at once, and with it what the answer costs; after an abort the iterable
   * throws the signal's reason and yields nothing more.
   * @throws {ModelError} for every failure of the network or the model. What was yielded before it is what was said.
   */
  respond(conversation: Conversation, options: ReplyOptions, signal: AbortSignal): AsyncIterable<ReplyEvent>;

  /**
   * Writes down what is said in the audio: the words as they come, then `done` with all of them. Ends on abort as
   * `respond` does.
   * @throws {ModelError}
   */
  transcribe(recording: Recording, options: TranscribeOptions, signal: AbortSignal): AsyncIterable<TranscriptEvent>;
}

/** Recorded speech in one of the two formats the API takes. */
export interface Speech {
  readonly format: 'wav' | 'mp3';
  readonly data: Uint8Array;
  readonly durationMs: number;
}

/**
 * Formats that the transcription endpoint takes as they are (OpenAI's reference, `file`), and a conversation does not. Of its
 * list those that cannot be decoded everywhere.
 */
export const FILE_FORMATS = ['m4a', 'mp4', 'webm'] as const;

export type FileFormat = (typeof FILE_FORMATS)[number];

/** What can be written down: a file of the other formats only where there is a transcription endpoint. */
export type Recording = Speech | { readonly format: FileFormat; readonly data: Uint8Array };

/** A piece of what a user said or wrote. */
export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  /** Who says what follows, or what it is: nobody's own words. */
  | { readonly type: 'label'; readonly text: string }
  | { readonly type: 'speech'; readonly speech: Speech };

/** One message of a conversation. */
export type Message = UserMessage | AssistantMessage;

export interface UserMessage {
  readonly role: 'user';
  readonly parts: readonly ContentPart[];
}

export interface AssistantMessage {
  readonly role: 'assistant';
  /** What was heard of the reply, as words. Used whenever `audio` is absent, expired or unknown to the server. */
  readonly text: string;
  /** The server's own copy of the spoken reply: only when it was heard whole. */
  readonly audio: AudioReference | undefined;
}

/** Names a spoken reply that the server still holds. */
export interface AudioReference {
  readonly id: string;
  /** Wall-clock time, milliseconds since the epoch, after which the server has forgotten it. */
  readonly expiresAtMs: number;
}

export interface Conversation {
  /** The system prompt. Holds no secret: assume users can read it. */
  readonly instructions: string;
  /** Oldest first; the last one is a user's. */
  readonly messages: readonly Message[];
}

export interface ReplyOptions {
  /** What the caller will use. With `text` the reply arrives as `text` or `transcript` deltas and no audio is yielded. */
  readonly output: 'text' | 'voice';
  /** A voice name the deployment accepts. */
  readonly voice: string;
  /** The model may find that what was said is not for it, and stay silent. */
  readonly mayDecline?: boolean;
}

export type ReplyEvent =
  /** 20 ms of the spoken reply. */
  | { readonly type: 'audio'; readonly frame: Frame }
  /** More of the words that the audio speaks. Runs ahead of the audio. */
  | { readonly type: 'transcript'; readonly delta: string }
  /** More of a reply that has no audio. Comes with `voice` too: these models sometimes answer in writing only. */
  | { readonly type: 'text'; readonly delta: string }
  | ReplyDone;

export interface ReplyDone {
  readonly type: 'done';
  /**
   * `length`: the output limit cut it. `filtered`: the provider's content filter cut it after it had begun (before its
   * first word the iterable throws instead, with the kind `filtered-reply`). `declined`: it may, and stays silent.
   */
  readonly finish: 'stop' | 'length' | 'filtered' | 'declined';
  /** How to refer to this reply in later turns, when the server keeps it. */
  readonly audio: AudioReference | undefined;
  readonly usage: Usage | undefined;
}

/** Tokens as the server counted them. Audio tokens are part of the totals, not beside them. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly inputAudioTokens: number;
  readonly outputAudioTokens: number;
  readonly cachedInputTokens: number;
}

export interface TranscribeOptions {
  /** ISO 639-1 code of the spoken language, when known. */
  readonly language: string | undefined;
}

export type TranscriptEvent =
  | { readonly type: 'text'; readonly delta: string }
  | {
      readonly type: 'done';
      readonly text: string;
      /** When it is said, where the server tells: in order, together the whole text. */
      readonly passages?: readonly TimedWords[];
    };

/** Words and their time in the recording. */
export interface TimedWords {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}
