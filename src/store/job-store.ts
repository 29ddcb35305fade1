/** What long work may be: whoever begins a kind takes it over after a crash, too. */
export type JobKind = 'transcription' | 'narration';

/**
 * Long work that outlives its process. Each finished piece is kept, so that whoever goes on with it does not do it again:
 *
 * ```ts
 * if ((await store.jobs.begin({ id: 'interaction:123', kind: 'narration', …, parameters: JSON.stringify(wish) })) === 'duplicate') return;
 * if ((await store.jobs.keepPiece('interaction:123', { index: 0, json: '{"text":"…"}', data: opus })) === 'refused') return;
 * await store.jobs.end('interaction:123'); // once people have the result: nothing of it stays
 * // at start and every quarter of a minute or so, in any process:
 * for (const job of await store.jobs.takeOver('narration')) {
 *   for await (const piece of store.jobs.pieces(job.id)) …   // then go on after them
 * }
 * ```
 *
 * Contents are sealed with the conversation's key and are forgotten with it. Whatever resolved is on the disk. Every method
 * may reject with a `StoreError`. `begin` and `keepPiece` give up after two seconds, and at once while the store is known to
 * be down: work goes on without being kept then.
 */
export interface JobStore {
  /** `duplicate`: another process has begun one with this id. */
  begin(job: KeptJob): Promise<'begun' | 'duplicate'>;
  /**
   * Pieces may come in any order; one that is kept already stays as it is. `refused`: the work was forgotten, ended or taken
   * over: stop it, quietly.
   */
  keepPiece(jobId: string, piece: JobPiece): Promise<'kept' | 'refused'>;
  /** The pieces from this index on, in order; gaps are left out. */
  pieces(jobId: string, fromIndex?: number): AsyncIterable<JobPiece>;
  /** The message that shows how far it is is another one now. */
  moveMessage(jobId: string, messageId: string): Promise<void>;
  /**
   * Takes the work of this kind whose process is dead, oldest first. Each is returned to one caller only, whichever process
   * calls. Work that cannot be read any more stays where it is; rejects with why when there is no other.
   */
  takeOver(kind: JobKind): Promise<readonly OpenJob[]>;
  /** People have the result, or were told that there is none. Deletes everything of it. */
  end(jobId: string): Promise<void>;
}

export interface KeptJob {
  /** From its source, such as `interaction:ID`: the same event has the same id always. */
  readonly id: string;
  readonly kind: JobKind;
  readonly conversationId: string;
  /** The server, or `@me` outside of one. */
  readonly guildId: string;
  /** Where its message is, which need not be where the conversation is. */
  readonly channelId: string;
  /** The message that shows how far it is. */
  readonly messageId: string;
  readonly askedById: string;
  /** Wall-clock time, milliseconds since the epoch. */
  readonly atMs: number;
  /** What is to be done, as JSON of whoever does it. */
  readonly parameters: string;
}

/** Work that its process left behind. */
export interface OpenJob extends KeptJob {
  /** How often it was taken over since its last piece was kept. Work that ends every process that does it must stop some time. */
  readonly takeOvers: number;
}

export interface JobPiece {
  /** From 0. */
  readonly index: number;
  /** Facts, as JSON of whoever does it. */
  readonly json: string;
  /** Sound, where there is any. */
  readonly data: Uint8Array | undefined;
}
