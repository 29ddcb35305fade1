/** When a stretch of speech begins and when it counts as ended. */
export interface TurnDetectorOptions {
  /** Voiced sound within {@link startWindowMs} that counts as speech rather than a click. */
  readonly startVoicedMs: number;
  readonly startWindowMs: number;
  /** Silence after the last voiced frame that ends the turn. */
  readonly silenceMs: number;
  /** A turn that goes on longer is ended anyway, so that it can be sent and answered. */
  readonly maxTurnMs: number;
}

/**
 * The first, fixed rule. Half a second of silence is quicker than the 1 to 2.5 s usual among Discord bots, and still cuts
 * people off at a long pause: a rule that adapts to the speaker belongs in this file.
 */
export const FIXED_RULE: TurnDetectorOptions = {
  startVoicedMs: 60,
  startWindowMs: 140,
  silenceMs: 500,
  maxTurnMs: 120_000,
};

export type SpeechChange = 'started' | 'ended';

type State =
  /** Nothing that counts as speech yet. `voicedAtMs`: voiced frames within the start window. */
  | { readonly kind: 'quiet'; readonly voicedAtMs: number[] }
  /** In a turn: speaking, or pausing for less than the silence that ends it. */
  | { readonly kind: 'in-turn'; readonly startedAtMs: number; readonly lastVoicedAtMs: number };

/**
 * Follows one speaker and says when their turn starts and ends. Pure: time comes in with each call, so a test can step it.
 * Frames stop coming while a Discord client is silent, so the end is found by {@link tick}, due at {@link dueAtMs}.
 */
export class TurnDetector {
  readonly #options: TurnDetectorOptions;
  readonly #frameMs: number;
  #state: State = { kind: 'quiet', voicedAtMs: [] };

  constructor(options: TurnDetectorOptions, frameMs: number) {
    this.#options = options;
    this.#frameMs = frameMs;
  }

  /** Takes one frame's verdict, at the time its packet arrived. */
  frame(voiced: boolean, atMs: number): SpeechChange | undefined {
    const state = this.#state;
    if (state.kind === 'in-turn') {
      // A frame may come late enough that the turn was already over.
      const ended = this.tick(atMs);
      if (ended) return ended;
      if (voiced) this.#state = { ...state, lastVoicedAtMs: atMs };
      return undefined;
    }
    if (!voiced) return undefined;
    const voicedAtMs = state.voicedAtMs.filter((time) => time > atMs - this.#options.startWindowMs);
    voicedAtMs.push(atMs);
    if (voicedAtMs.length * this.#frameMs < this.#options.startVoicedMs) {
      this.#state = { kind: 'quiet', voicedAtMs };
      return undefined;
    }
    this.#state = { kind: 'in-turn', startedAtMs: voicedAtMs[0] ?? atMs, lastVoicedAtMs: atMs };
    return 'started';
  }

  /** Looks whether the turn has ended by `nowMs`. */
  tick(nowMs: number): SpeechChange | undefined {
    const dueAtMs = this.dueAtMs;
    return dueAtMs !== undefined && nowMs >= dueAtMs ? this.end() : undefined;
  }

  /** Ends the turn at once: the speaker muted themselves or left, so nothing more can come. */
  end(): SpeechChange | undefined {
    const wasInTurn = this.inTurn;
    this.#state = { kind: 'quiet', voicedAtMs: [] };
    return wasInTurn ? 'ended' : undefined;
  }

  get inTurn(): boolean {
    return this.#state.kind === 'in-turn';
  }

  /** When the turn ends if nothing more is heard; `undefined` outside a turn. */
  get dueAtMs(): number | undefined {
    if (this.#state.kind === 'quiet') return undefined;
    const { startedAtMs, lastVoicedAtMs } = this.#state;
    return Math.min(lastVoicedAtMs + this.#options.silenceMs, startedAtMs + this.#options.maxTurnMs);
  }
}
