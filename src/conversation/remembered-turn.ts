import type { Conversation, Model, Usage } from '../model/model.ts';
import { StoreError } from '../store/store-error.ts';
import type { Ending, IncomingTurn, Past, TurnStore } from '../store/turn-store.ts';
import type { Log } from '../telemetry/log.ts';
import { sleep, type Clock } from '../time/clock.ts';
import type { Background } from './background.ts';
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
}

/** How a turn ended, as far as it is kept. */
export type TurnEnding = Omit<Ending, 'atMs' | 'usage'> & { readonly usage: Usage | undefined };

/** One turn from its beginning to its end, as the memory sees it. */
export class RememberedTurn {
  readonly #parts: TurnParts;
  readonly #turn: IncomingTurn;
  readonly #past: Promise<Past>;
  /** It was kept when it began. */
  readonly #kept: boolean;
  #begun: Promise<boolean> | undefined;

  constructor(parts: TurnParts, turn: IncomingTurn, past: Promise<Past>, kept: boolean) {
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
    const { background, transcriber } = this.#parts;
    if (!(await this.#advance())) return false;
    // What was not kept yet has no place for its transcript.
    if (this.#kept) void background.run((signal) => transcriber.writeDown(this.#turn, signal));
    return true;
  }

  /** Keeps how the turn ended. Resolves when it is on the disk, or when that takes longer than people should wait. */
  async end({ usage, ...ending }: TurnEnding): Promise<void> {
    const { background, clock } = this.#parts;
    const atMs = Date.now();
    const waiting = new AbortController();
    const kept = background.run(async (signal) => {
      await this.#keep({ ...ending, usage, atMs }).finally(() => waiting.abort());
      await this.#tidy(usage, signal);
    });
    await Promise.race([kept, sleep(clock, END_MS, waiting.signal).catch(() => {})]);
  }

  /** It never happened: those who spoke went on, and all they said is in the next turn. Nothing of it is kept. */
  async discard(): Promise<void> {
    if (!this.#kept) return;
    try {
      await this.#parts.store.turns.discard(this.#turn.id);
    } catch (error) {
      noteTrouble(error, this.#parts.log);
    }
  }

  async #keep(ending: Ending): Promise<void> {
    const { turns } = this.#parts.store;
    if (!this.#kept) {
      await turns.record(this.#withoutOptedOut(), ending);
      return;
    }
    try {
      await turns.finish(this.#turn.id, ending);
    } catch (error) {
      noteTrouble(error, this.#parts.log);
      await turns.record(this.#withoutOptedOut(), ending);
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

  /** The turn as it may be kept now: somebody may have opted out since it was answered. */
  #withoutOptedOut(): IncomingTurn {
    const { hasOptedOut } = this.#parts;
    const utterances = this.#turn.utterances.map((utterance) =>
      utterance.speech && hasOptedOut(utterance.speakerId)
        ? { ...utterance, speech: { ...utterance.speech, data: undefined } }
        : utterance,
    );
    return { ...this.#turn, utterances };
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
