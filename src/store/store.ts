/** Keeps conversations. One conversation per channel; turns are appended and never changed. */
export interface ConversationStore {
  append(conversationId: string, turn: StoredTurn): Promise<void>;
  /** The newest `limit` turns, oldest first. */
  recent(conversationId: string, limit: number): Promise<readonly StoredTurn[]>;
}

/** One exchange: what people said or wrote, and what they heard or read in answer. */
export interface StoredTurn {
  /** Wall-clock time the turn ended, milliseconds since the epoch. */
  readonly atMs: number;
  /** In the order they began. */
  readonly utterances: readonly StoredUtterance[];
  /** `undefined`: nothing of an answer reached anybody. */
  readonly reply: StoredReply | undefined;
}

export interface StoredUtterance {
  readonly speakerId: string;
  readonly speakerName: string;
  /** When it began, counted from the start of the turn. */
  readonly offsetMs: number;
  readonly text: string | undefined;
  readonly speech: StoredSpeech | undefined;
}

export interface StoredSpeech {
  readonly format: 'wav' | 'mp3';
  readonly data: Uint8Array;
  readonly durationMs: number;
}

export interface StoredReply {
  /** The words that were heard or read: less than the model said when the reply was cut. */
  readonly text: string;
  /** The server's copy of the spoken reply; only when it was heard whole. */
  readonly audio: { readonly id: string; readonly expiresAtMs: number } | undefined;
}
