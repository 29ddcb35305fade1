import type { Conversation, Model, Usage } from '../model/model.ts';
import { StoreError } from '../store/store-error.ts';
import type { Ending, IncomingTurn, Past, TurnStore, UtteranceRecord } from '../store/turn-store.ts';
import type { Log } from '../telemetry/log.ts';
import { conversationOf } from './history.ts';
import { Summarizer } from './summarizer.ts';

/** Turns that are read for a request at most; the token budget is reached long before. */
const MAX_TURNS = 200;

/**
 * Ended turns whose sound is kept: the model hears how the last thing was said. With the turn being answered that makes two.
 */
const TURNS_WITH_SPEECH = 1;

const NO_PAST: Past = { summary: undefined, turns: [], revision: '' };

export interface MemoryParts {
  readonly store: TurnStore;
  readonly model: Model;
  readonly botName: string;
  /** Tokens of a request from which on the oldest part of a conversation is summed up. */
  readonly tokenBudget: number;
  readonly log: Log;
}

/** How a turn ended, as far as it is kept. */
export type TurnEnding = Omit<Ending, 'atMs' | 'usage'> & { readonly usage: Usage | undefined };

/**
 * What is remembered of conversations. Every step of a turn is on the disk before it is acted on. While the store is away
 * conversations go on without it: a turn is then kept when the store is back.
 */
export class Memory {
  readonly #parts: MemoryParts;
  readonly #summarizer: Summarizer;
  /** Conversations whose people know that nothing is remembered just now. */
  readonly #told = new Set<string>();
  /** Conversations whose last spoken answer was to be one and came as words. */
  readonly #fallenSilent = new Set<string>();
  readonly #work = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(parts: MemoryParts) {
    this.#parts = parts;
    this.#summarizer = new Summarizer(parts);
    parts.store.health.onChange(({ kind }) => {
      if (kind === 'ok') this.#told.clear();
    });
  }

  /** Keeps a turn that begins. `undefined`: it is being answered already, here or by another process. */
  async begin(turn: IncomingTurn): Promise<RememberedTurn | undefined> {
    // Read while the turn is being written: people wait for both.
    const past = this.#load(turn.conversationId);
    try {
      if ((await this.#parts.store.turns.receive(turn)) === 'duplicate') return undefined;
      return new RememberedTurn(this, this.#parts, turn, past, true);
    } catch (error) {
      this.noteTrouble(error);
      return new RememberedTurn(this, this.#parts, turn, past, false);
    }
  }

  async #load(conversationId: string): Promise<Past> {
    try {
      return await this.#parts.store.conversations.load(conversationId, MAX_TURNS);
    } catch (error) {
      this.noteTrouble(error);
      return NO_PAST;
    }
  }

  /** Whether the people of a conversation should be told that nothing is remembered just now: `true` once each time. */
  shouldTell(conversationId: string): boolean {
    const { store } = this.#parts;
    if (store.health.state.kind === 'ok' || this.#told.has(conversationId)) return false;
    this.#told.add(conversationId);
    return true;
  }

  hasFallenSilent(conversationId: string): boolean {
    return this.#fallenSilent.has(conversationId);
  }

  noteSilence(conversationId: string, silent: boolean): void {
    if (silent) this.#fallenSilent.add(conversationId);
    else this.#fallenSilent.delete(conversationId);
  }

  noteTrouble(error: unknown): void {
    if (!(error instanceof StoreError)) throw error;
    this.#parts.log.warn({ err: error }, 'memory is away');
  }

  /** Work that people do not wait for: writing down what was said, summing up. */
  later(work: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#stopping;
    const running = work(signal)
      .catch((error: unknown) => {
        if (!signal.aborted) this.#parts.log.warn({ err: error }, 'work on the memory failed');
      })
      .finally(() => this.#work.delete(running));
    this.#work.add(running);
  }

  sumUp(conversationId: string): void {
    this.later((signal) => this.#summarizer.sumUp(conversationId, signal));
  }

  /** Stops what is being worked on in the background. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#work);
  }
}

/** One turn from its beginning to its end, as the memory sees it. */
export class RememberedTurn {
  readonly #memory: Memory;
  readonly #parts: MemoryParts;
  readonly #turn: IncomingTurn;
  readonly #past: Promise<Past>;
  /** It was kept when it began. */
  readonly #kept: boolean;

  constructor(memory: Memory, parts: MemoryParts, turn: IncomingTurn, past: Promise<Past>, kept: boolean) {
    this.#memory = memory;
    this.#parts = parts;
    this.#turn = turn;
    this.#past = past;
    this.#kept = kept;
  }

  /** What the model is to be sent. Without history while the store is away. */
  async conversation(output: 'text' | 'voice'): Promise<Conversation> {
    const remindToSpeak = output === 'voice' && this.#memory.hasFallenSilent(this.#turn.conversationId);
    return conversationOf(await this.#past, this.#turn.utterances, { botName: this.#parts.botName, remindToSpeak });
  }

  /** Notes that the model is asked now. `false`: the turn was forgotten or taken over meanwhile; drop it quietly. */
  async asked(): Promise<boolean> {
    return this.#advance('asked');
  }

  /** Notes whether the model spoke, as it was asked to, or answered in words alone. */
  spoke(aloud: boolean): void {
    this.#memory.noteSilence(this.#turn.conversationId, !aloud);
  }

  /** Notes that the answer has begun, and has what was said written down for when its sound is no longer kept. */
  begun(): void {
    this.#memory.later(async (signal) => {
      await this.#advance('speaking');
      for (const [ordinal, utterance] of this.#turn.utterances.entries())
        await this.#transcribe(ordinal, utterance, signal);
    });
  }

  /** Keeps how the turn ended; resolves when it is on the disk, or could not be kept. */
  async end({ usage, ...ending }: TurnEnding): Promise<void> {
    const { store, tokenBudget } = this.#parts;
    const { conversationId, id } = this.#turn;
    const kept: Ending = { ...ending, usage, atMs: Date.now() };
    if (!this.#kept) {
      // Waits until the store is back, so nobody waits for it.
      this.#memory.later(async () => void (await store.turns.record(this.#turn, kept)));
      return;
    }
    try {
      await store.turns.finish(id, kept);
    } catch (error) {
      this.#memory.noteTrouble(error);
      this.#memory.later(async () => void (await store.turns.record(this.#turn, kept)));
    }
    this.#memory.later(() => store.conversations.keepSpeechOfNewest(conversationId, TURNS_WITH_SPEECH));
    if (usage && usage.inputTokens + usage.outputTokens > tokenBudget) this.#memory.sumUp(conversationId);
  }

  async #advance(state: 'asked' | 'speaking'): Promise<boolean> {
    if (!this.#kept) return true;
    try {
      return (await this.#parts.store.turns.advance(this.#turn.id, state)) === 'changed';
    } catch (error) {
      this.#memory.noteTrouble(error);
      return true;
    }
  }

  async #transcribe(ordinal: number, { speech }: UtteranceRecord, signal: AbortSignal): Promise<void> {
    if (!speech?.data) return;
    const { format, data, durationMs } = speech;
    const { model, store } = this.#parts;
    for await (const event of model.transcribe({ format, data, durationMs }, { language: undefined }, signal)) {
      if (event.type === 'done' && event.text !== '') {
        await store.turns.addTranscript(this.#turn.id, ordinal, event.text);
      }
    }
  }
}
