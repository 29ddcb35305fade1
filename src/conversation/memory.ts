import type { Speech } from '../model/model.ts';
import type { BeginningTurn, IncomingTurn, Past } from '../store/turn-store.ts';
import { Background } from './background.ts';
import { MOST_TURNS } from './history.ts';
import { noteTrouble, RememberedTurn, type MemoryParts, type TurnParts } from './remembered-turn.ts';
import { Summarizer } from './summarizer.ts';
import { Transcriber } from './transcriber.ts';

const NO_PAST: Past = { summary: undefined, turns: [], revision: '' };

/**
 * What is remembered of conversations. Every step of a turn is on the disk before it is acted on. While the store is away
 * conversations go on without it: a turn is then kept when the store is back.
 */
export class Memory implements AsyncDisposable {
  readonly #parts: TurnParts;
  /** Conversations whose people know that nothing is remembered just now. */
  readonly #told = new Set<string>();

  constructor(parts: MemoryParts) {
    this.#parts = {
      ...parts,
      background: new Background(parts),
      summarizer: new Summarizer(parts),
      transcriber: new Transcriber(parts),
      fallenSilent: new Set(),
    };
    parts.store.health.onChange(({ kind }) => {
      if (kind === 'ok') this.#told.clear();
    });
  }

  /**
   * Keeps a turn whose model is asked as soon as this resolves: one write, the only one people wait for. `undefined`: it is
   * being answered already, here or by another process.
   */
  async begin(turn: BeginningTurn): Promise<RememberedTurn | undefined> {
    const { store, log } = this.#parts;
    // People wait for both. What is before the turn is read first, so that it can be opened while the turn is written.
    const past = this.#load(turn.conversationId);
    try {
      if ((await store.turns.receive(turn, 'asked')) === 'duplicate') return undefined;
      return new RememberedTurn(this.#parts, turn, past, true);
    } catch (error) {
      noteTrouble(error, log);
      return new RememberedTurn(this.#parts, turn, past, false);
    }
  }

  /**
   * Keeps what people said to each other: as words where they are known, and with its sound, to be written down later,
   * where not.
   */
  async overheard(turn: IncomingTurn): Promise<void> {
    const remembered = new RememberedTurn(this.#parts, turn, Promise.resolve(NO_PAST), false);
    await remembered.end({ state: 'done', reply: undefined, usage: undefined, failure: undefined });
  }

  /**
   * What is said in some speech, made once and kept for the turn it belongs to.
   * @throws {ModelError}
   */
  wordsOf(speech: Speech, signal: AbortSignal): Promise<string> {
    return this.#parts.transcriber.wordsOf(speech, signal);
  }

  async #load(conversationId: string): Promise<Past> {
    const { store, log } = this.#parts;
    try {
      return await store.conversations.load(conversationId, MOST_TURNS);
    } catch (error) {
      noteTrouble(error, log);
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

  /** Stops what is being worked on in the background. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.background[Symbol.asyncDispose]();
  }
}
