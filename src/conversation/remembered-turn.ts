import type { Conversation, Model, Usage } from '../model/model.ts';
import { StoreError } from '../store/store-error.ts';
import type { Ending, IncomingTurn, Past, TurnStore } from '../store/turn-store.ts';
import type { Log } from '../telemetry/log.ts';
import { sleep, type Clock } from '../time/clock.ts';
import type { Background } from './background.ts';
import { withoutSound, type Forgettings } from './forgettings.ts';
import { conversationOf, isSent, MOST_TURNS } from './history.ts';
import type { Summarizer } from './summarizer.ts';
import { isUnwritten, type Transcriber } from './transcriber.ts';

/**
 * Ended turns whose sound is kept: the model hears how the last thing was said. With the turn being answered that makes two.
 */
const TURNS_WITH_SPEECH = 1;

/** Turns in which speech may have been left that nobody wrote down, such as those a crash cut off. */
const TURNS_TO_WRITE_DOWN = 8;

/**
 * What people say to each other costs few tokens, and none that a model counts: a conversation is also summed up when it has
 * so many turns, long before the oldest of them are not read any more.
 */
const SUM_UP_FROM_TURNS = (MOST_TURNS * 3) / 4;
/** And so many turns later again while nothing came of that, so that a model that cannot is not asked with every turn. */
const SUM_UP_EVERY_TURNS = 10;

/** People wait this long for the end of a turn to be kept; a store that is away gets it later. */
const END_MS = 2000;

/** A store that is away for longer loses the end of a turn: no longer than it waits itself for what must not be lost. */
const RECORD_MS = 120_000;
const RECORD_AGAIN_MS = 1000;

/** Of turns that were discarded while it was not certain that they are kept: the oldest is taken for gone when there are more. */
const MAX_DISCARDED = 1000;

export interface MemoryParts {
  readonly store: TurnStore;
  readonly model: Model;
  readonly botName: string;
  /** Tokens of a request from which on the oldest part of a conversation is summed up. */
  readonly tokenBudget: number;
  /** Sound of somebody who does not want to be heard any more is neither sent nor kept. */
  readonly hasOptedOut: (personId: string) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the turns of a memory share. */
export interface TurnParts extends MemoryParts {
  readonly background: Background;
  readonly summarizer: Summarizer;
  readonly transcriber: Transcriber;
  /** Conversations whose last spoken answer was to be one and came as words. */
  readonly fallenSilent: Set<string>;
  readonly forgettings: Forgettings;
  /** Turns that somebody works on. Whatever else is open will never end by itself. */
  readonly live: Set<IncomingTurn>;
  /** Ids of turns that never happened, and that the store may keep all the same. */
  readonly discarded: Set<string>;
  /** Writes that keep what people said; none rejects. What is forgotten must not be kept by one of them afterwards. */
  readonly writing: Set<Promise<unknown>>;
}

/** How a turn ended, as far as it is kept. */
export type TurnEnding = Omit<Ending, 'atMs' | 'usage'> & { readonly usage: Usage | undefined };

/** How a turn was kept when it began. */
export interface Beginning {
  readonly past: Promise<Past>;
  readonly kept: boolean;
}

/** One turn from its beginning to its end, as the memory sees it. */
export class RememberedTurn {
  readonly #parts: TurnParts;
  readonly #turn: IncomingTurn;
  readonly #past: Promise<Past>;
  readonly #kept: boolean;
  #begun: Promise<boolean> | undefined;
  /** Its end is being kept, or has been. */
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: TurnParts, turn: IncomingTurn, { past, kept }: Beginning) {
    this.#parts = parts;
    this.#turn = turn;
    this.#past = past;
    this.#kept = kept;
  }

  /** What the model is to be sent. Without history while the store is away. */
  async conversation(output: 'text' | 'voice'): Promise<Conversation> {
    const { botName, tokenBudget, hasOptedOut, fallenSilent } = this.#parts;
    const remindToSpeak = output === 'voice' && fallenSilent.has(this.#turn.conversationId);
    return conversationOf(await this.#past, this.#turn.utterances, {
      botName,
      tokenBudget,
      hasOptedOut,
      remindToSpeak,
    });
  }

  /** Notes whether the model spoke, as it was asked to, or answered in words alone. */
  spoke(aloud: boolean): void {
    if (aloud) this.#parts.fallenSilent.delete(this.#turn.conversationId);
    else this.#parts.fallenSilent.add(this.#turn.conversationId);
  }

  /**
   * Notes that the answer has begun, before anybody hears or reads of it, and then has what was said written down. `false`:
   * the turn was forgotten or taken over meanwhile; drop it quietly.
   */
  begun(): Promise<boolean> {
    this.#begun ??= this.#begin();
    return this.#begun;
  }

  async #begin(): Promise<boolean> {
    const { background, transcriber, live } = this.#parts;
    if (!(await this.#advance())) {
      live.delete(this.#turn);
      return false;
    }
    // What was not kept yet has no place for its transcript.
    if (this.#kept) void background.run((signal) => transcriber.writeDown(this.#turn, signal));
    return true;
  }

  /** Keeps how the turn ended. Resolves when it is on the disk, or when that takes longer than people should wait. */
  async end({ usage, ...ending }: TurnEnding): Promise<void> {
    const { background, clock, live } = this.#parts;
    const atMs = Date.now();
    const waiting = new AbortController();
    const keeping = this.#keep({ ...ending, usage, atMs }).finally(() => {
      live.delete(this.#turn);
      waiting.abort();
    });
    this.#ended = keeping.catch(() => {});
    const kept = background.run(async (signal) => {
      await keeping;
      await this.#tidy(usage, signal);
    });
    await Promise.race([kept, sleep(clock, END_MS, waiting.signal).catch(() => {})]);
  }

  /** Its people have seen an end that was kept as unseen, or have been told otherwise. Nobody waits for it. */
  seen(): void {
    const { background, store } = this.#parts;
    void background.run(async () => {
      await this.#ended;
      await store.turns.noticeSent(this.#turn.id);
    });
  }

  /**
   * It never happened: those who spoke went on, and all they said is in the next turn. Nothing of it stays, also of what was
   * kept without an answer that said so. Nobody waits for it.
   */
  discard(): void {
    const { store, background, live, discarded } = this.#parts;
    const { id } = this.#turn;
    discarded.add(id);
    for (const oldest of discarded) {
      if (discarded.size <= MAX_DISCARDED) break;
      discarded.delete(oldest);
    }
    void background.run(async () => {
      try {
        const outcome = await store.turns.discard(id);
        // What was on its way to the disk may still get there.
        if (this.#kept || outcome === 'changed') discarded.delete(id);
      } finally {
        live.delete(this.#turn);
      }
    });
  }

  async #keep(ending: Ending): Promise<void> {
    if (this.#kept) {
      try {
        await this.#parts.store.turns.finish(this.#turn.id, ending);
        return;
      } catch (error) {
        noteTrouble(error, this.#parts.log);
      }
    }
    await this.#record(ending);
  }

  /** Keeps the turn and its end in one. What may be kept is asked anew before each try: it may be forgotten meanwhile. */
  async #record(ending: Ending): Promise<void> {
    const { store, clock, forgettings, hasOptedOut, writing } = this.#parts;
    const givesUpAtMs = clock.nowMs() + RECORD_MS;
    for (;;) {
      const left = forgettings.remainder({ turn: withoutSound(this.#turn, hasOptedOut), ending });
      if (!left) return;
      try {
        await tracked(writing, store.turns.record(left.turn, left.ending));
        return;
      } catch (error) {
        const mayHelp = error instanceof StoreError && error.shouldRetry;
        if (!mayHelp || clock.nowMs() >= givesUpAtMs) throw error;
      }
      await sleep(clock, RECORD_AGAIN_MS);
    }
  }

  /** Writes down what is only kept as sound, lets old sound go, and sums up what has grown too long. */
  async #tidy(usage: Usage | undefined, signal: AbortSignal): Promise<void> {
    const { store, transcriber, summarizer, tokenBudget } = this.#parts;
    const { conversationId } = this.#turn;
    const { turns, summary } = await store.conversations.load(conversationId, TURNS_TO_WRITE_DOWN);
    for (const turn of turns) {
      if (isSent(turn) && turn.utterances.some(isUnwritten)) await transcriber.writeDown(turn, signal);
    }
    await store.conversations.keepSpeechOfNewest(conversationId, TURNS_WITH_SPEECH);
    const tokens = usage ? usage.inputTokens + usage.outputTokens : 0;
    const unsummed = (turns.at(-1)?.position ?? 0) - (summary?.throughPosition ?? 0);
    const isManyTurns = unsummed >= SUM_UP_FROM_TURNS && unsummed % SUM_UP_EVERY_TURNS === 0;
    if (tokens > tokenBudget || isManyTurns) await summarizer.sumUp(conversationId, signal);
  }

  async #advance(): Promise<boolean> {
    if (!this.#kept) return true;
    try {
      return (await this.#parts.store.turns.advance(this.#turn.id, 'speaking')) === 'changed';
    } catch (error) {
      noteTrouble(error, this.#parts.log);
      return true;
    }
  }
}

/** The conversation goes on without the store. */
export function noteTrouble(error: unknown, log: Log): void {
  if (!(error instanceof StoreError)) throw error;
  log.warn({ err: error }, 'memory is away');
}

/** Notes a write for as long as it is under way. */
export async function tracked<T>(writing: Set<Promise<unknown>>, write: Promise<T>): Promise<T> {
  const over = write.catch(() => {});
  writing.add(over);
  try {
    return await write;
  } finally {
    writing.delete(over);
  }
}
