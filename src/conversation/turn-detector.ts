import type { SpeakerHabits } from './speaker-habits.ts';

/** When a stretch of speech begins and when it counts as ended. */
export interface TurnDetectorOptions {
  /** Voiced sound within {@link startWindowMs} that counts as speech rather than a click. */
  readonly startVoicedMs: number;
  readonly startWindowMs: number;
  /** Silence after the last voiced frame that ends the turn of somebody whose habits are not followed. */
  readonly silenceMs: number;
  /** Silence that ends the turn once somebody who talks by pressing a key has let go of it: they may press it again. */
  readonly releaseMs: number;
  /** Waited in addition when sound stopped coming without the silence that clients send: packets may be lost or late. */
  readonly lossMs: number;
  /** Speech again so soon after the turn was ended: it was ended too early. */
  readonly cutOffMs: number;
  /** A turn that goes on longer is ended anyway, so that it can be sent and answered. */
  readonly maxTurnMs: number;
}

/**
 * The fixed rule, for speakers whose habits are not followed. Half a second of silence is quicker than the 1 to 2.5 s
 * usual among Discord bots, and still takes about three in ten pauses for the end.
 */
export const FIXED_RULE: TurnDetectorOptions = {
  startVoicedMs: 60,
  startWindowMs: 140,
  silenceMs: 500,
  releaseMs: 100,
  lossMs: 200,
  cutOffMs: 1000,
  maxTurnMs: 120_000,
};

/** Frames missing for longer than the jitter buffer waits: this is no late packet. */
const GAP_MS = 100;

export type SpeechChange = 'started' | 'ended';

/** In a turn: speaking, or pausing for less than the silence that ends it. */
interface InTurn {
  readonly kind: 'in-turn';
  readonly startedAtMs: number;
  readonly lastVoicedAtMs: number;
  readonly lastFrameAtMs: number;
  /** When the client stopped sending after the last voiced frame, if it has. */
  readonly stoppedAtMs: number | undefined;
}

type State =
  /** Nothing that counts as speech yet. `voicedAtMs`: voiced frames within the start window. */
  { readonly kind: 'quiet'; readonly voicedAtMs: number[] } | InTurn;

/**
 * Follows one speaker and says when their turn starts and ends. Pure: time comes in with each call, so a test can step it.
 * Frames stop coming while a Discord client is silent, so the end is found by {@link tick}, due at {@link dueAtMs}.
 *
 * With the speaker's habits the silence that ends a turn is theirs, between bounds, and it also depends on how the sound
 * stopped: a key let go is the end, a gap that the client did not announce may be loss. Without them it is fixed.
 */
export class TurnDetector {
  readonly #options: TurnDetectorOptions;
  readonly #frameMs: number;
  readonly #habits: SpeakerHabits | undefined;
  #state: State = { kind: 'quiet', voicedAtMs: [] };
  /** The turn that silence ended last, until it is known whether that was right. */
  #previous: { readonly turn: InTurn; readonly endedAtMs: number } | undefined;

  constructor(options: TurnDetectorOptions, frameMs: number, habits?: SpeakerHabits) {
    this.#options = options;
    this.#frameMs = frameMs;
    this.#habits = habits;
  }

  /** Takes one frame's verdict, at the time its packet arrived. */
  frame(voiced: boolean, atMs: number): SpeechChange | undefined {
    const state = this.#state;
    if (state.kind === 'in-turn') {
      // A frame may come late enough that the turn was already over.
      const ended = this.tick(atMs);
      if (ended) return ended;
      if (voiced) this.#habits?.paused(atMs - state.lastVoicedAtMs - this.#frameMs);
      this.#stopped(state, false);
      const lastVoicedAtMs = voiced ? atMs : state.lastVoicedAtMs;
      this.#state = { ...state, lastVoicedAtMs, lastFrameAtMs: atMs, stoppedAtMs: undefined };
      return undefined;
    }
    if (!voiced) return undefined;
    const voicedAtMs = state.voicedAtMs.filter((time) => time > atMs - this.#options.startWindowMs);
    voicedAtMs.push(atMs);
    if (voicedAtMs.length * this.#frameMs < this.#options.startVoicedMs) {
      this.#state = { kind: 'quiet', voicedAtMs };
      return undefined;
    }
    const startedAtMs = voicedAtMs[0] ?? atMs;
    this.#judgePrevious(startedAtMs);
    this.#state = {
      kind: 'in-turn',
      startedAtMs,
      lastVoicedAtMs: atMs,
      lastFrameAtMs: atMs,
      stoppedAtMs: undefined,
    };
    return 'started';
  }

  /** The client sent the silence with which it ends a stretch of sound: it stopped on purpose. */
  silence(atMs: number): void {
    if (this.#state.kind === 'in-turn') this.#state = { ...this.#state, stoppedAtMs: this.#state.stoppedAtMs ?? atMs };
  }

  /** Looks whether the turn has ended by `nowMs`. */
  tick(nowMs: number): SpeechChange | undefined {
    const { dueAtMs } = this;
    if (dueAtMs === undefined || nowMs < dueAtMs) return undefined;
    const state = this.#state;
    this.#state = { kind: 'quiet', voicedAtMs: [] };
    // A turn that was too long did not end by silence, so nothing can be learned from how it goes on.
    if (state.kind === 'in-turn' && dueAtMs < state.startedAtMs + this.#options.maxTurnMs) {
      this.#previous = { turn: state, endedAtMs: nowMs };
    }
    return 'ended';
  }

  /** Ends the turn at once: the speaker muted themselves or left, so nothing more can come. */
  end(): SpeechChange | undefined {
    this.#judgePrevious(Infinity);
    if (!this.inTurn) return undefined;
    this.#state = { kind: 'quiet', voicedAtMs: [] };
    this.#habits?.finished();
    return 'ended';
  }

  get inTurn(): boolean {
    return this.#state.kind === 'in-turn';
  }

  /** When the speaker was last voiced in this turn; `undefined` outside a turn. */
  get lastVoicedAtMs(): number | undefined {
    return this.#state.kind === 'in-turn' ? this.#state.lastVoicedAtMs : undefined;
  }

  /** When the turn ends if nothing more is heard; `undefined` outside a turn. */
  get dueAtMs(): number | undefined {
    if (this.#state.kind === 'quiet') return undefined;
    return Math.min(this.#silentUntilMs(this.#state), this.#state.startedAtMs + this.#options.maxTurnMs);
  }

  #silentUntilMs({ lastVoicedAtMs, lastFrameAtMs, stoppedAtMs }: InTurn): number {
    const { silenceMs, releaseMs, lossMs } = this.#options;
    const habits = this.#habits;
    if (!habits) return lastVoicedAtMs + silenceMs;
    if (stoppedAtMs !== undefined) {
      return habits.releases ? stoppedAtMs + releaseMs : lastVoicedAtMs + habits.waitMs;
    }
    // The key is still down, and while it is they may think.
    const dueAtMs = lastVoicedAtMs + (habits.releases ? habits.longestMs : habits.waitMs);
    const lost = habits.marksStops && dueAtMs - lastFrameAtMs > GAP_MS;
    return lost ? dueAtMs + lossMs : dueAtMs;
  }

  /** The speaker is heard again: soon after their turn was ended it had been a pause, later it was the end. */
  #judgePrevious(againAtMs: number): void {
    const previous = this.#previous;
    this.#previous = undefined;
    if (!previous) return;
    const { turn, endedAtMs } = previous;
    const wasCutOff = againAtMs - endedAtMs <= this.#options.cutOffMs;
    if (wasCutOff) this.#habits?.paused(againAtMs - turn.lastVoicedAtMs - this.#frameMs);
    else this.#habits?.finished();
    this.#stopped(turn, !wasCutOff);
  }

  #stopped({ stoppedAtMs, lastVoicedAtMs }: InTurn, ended: boolean): void {
    if (stoppedAtMs !== undefined) this.#habits?.stopped(stoppedAtMs - lastVoicedAtMs - this.#frameMs, ended);
  }
}
