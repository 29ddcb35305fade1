import type { Speech } from '../model/model.ts';
import { StoreError } from '../store/store-error.ts';
import type { BeginningTurn, IncomingTurn, Past } from '../store/turn-store.ts';
import { sleep } from '../time/clock.ts';
import { Background } from './background.ts';
import { Forgettings, type Forgetting } from './forgettings.ts';
import { MOST_TURNS } from './history.ts';
import { noteTrouble, RememberedTurn, tracked, type MemoryParts, type TurnParts } from './remembered-turn.ts';
import { Summarizer } from './summarizer.ts';
import { Transcriber } from './transcriber.ts';

/** What is being written takes no longer than this, or is not going to be written any more. */
const WRITTEN_MS = 15_000;

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
      forgettings: new Forgettings(),
      live: new Set(),
      discarded: new Set(),
      writing: new Set(),
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
    const { store, log, forgettings, live, writing } = this.#parts;
    // People wait for both. What is before the turn is read first, so that it can be opened while the turn is written.
    const past = this.#load(turn.conversationId);
    // It is answered, as it was asked, and at its end nothing of it may be kept, or not all.
    if (forgettings.concern(turn)) return new RememberedTurn(this.#parts, turn, { past, kept: false });
    live.add(turn);
    try {
      const receipt = await tracked(writing, store.turns.receive(turn, 'asked'));
      if (receipt === 'received') return new RememberedTurn(this.#parts, turn, { past, kept: true });
      live.delete(turn);
      return undefined;
    } catch (error) {
      if (!(error instanceof StoreError)) live.delete(turn);
      noteTrouble(error, log);
      return new RememberedTurn(this.#parts, turn, { past, kept: false });
    }
  }

  /**
   * Keeps what people said to each other: as words where they are known, and with its sound, to be written down later,
   * where not.
   */
  async overheard(turn: IncomingTurn): Promise<void> {
    const remembered = new RememberedTurn(this.#parts, turn, { past: Promise.resolve(NO_PAST), kept: false });
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

  /**
   * Nothing that was said until now and is forgotten is kept from now on. Resolves when nothing is being written any more
   * that began before: with whether there was anything. What is in the store is to be deleted after that.
   */
  async forgetting(what: Forgetting): Promise<boolean> {
    const { forgettings, writing, clock } = this.#parts;
    forgettings.note(what, Date.now());
    const isWriting = writing.size > 0;
    const waiting = new AbortController();
    await Promise.race([Promise.all(writing), sleep(clock, WRITTEN_MS, waiting.signal).catch(() => {})]);
    waiting.abort();
    return isWriting;
  }

  /**
   * Ends the turns of this process that are open and that nobody works on: those of which a fault of the store left neither
   * their end nor that they never happened. Call it every quarter of a minute or so.
   * @throws {StoreError}
   */
  async endLeft(): Promise<void> {
    const { live, discarded, log } = this.#parts;
    const { turns } = this.#parts.store;
    for (const id of await turns.open()) {
      if ([...live].some((turn) => turn.id === id)) continue;
      const isDiscarded = discarded.has(id);
      const end = { state: 'interrupted', reply: undefined, usage: undefined, failure: undefined } as const;
      const outcome = await (isDiscarded ? turns.discard(id) : turns.finish(id, { ...end, atMs: Date.now() }));
      discarded.delete(id);
      // Otherwise it ended by itself since it was asked which are open.
      if (outcome === 'changed') log.warn({ turn: id, discarded: isDiscarded }, 'turn was left open');
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
