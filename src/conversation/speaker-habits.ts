/** How one speaker's habits become the silence that ends their turn. */
export interface HabitOptions {
  /** Bounds of the silence. */
  readonly shortestMs: number;
  readonly longestMs: number;
  /**
   * Waiting that one cut-off is worth: the only free choice. A millisecond more of silence costs every turn a millisecond,
   * and saves the pauses that last just so long; the wait is where both weigh the same.
   */
  readonly cutOffCostMs: number;
}

/**
 * 2.4 s of waiting for a cut-off: about one pause in ten is taken for the end (`npm run bench -- turns`). The bounds are
 * those of the frameworks for voice agents: without a model that listens for the end none goes below 0.3 s, few above 2 s.
 */
export const HABITS: HabitOptions = { shortestMs: 300, longestMs: 2000, cutOffCostMs: 2400 };

/** Shorter silences are part of speaking: they say nothing about how somebody pauses. */
const PAUSE_FROM_MS = 200;

/**
 * What is assumed of a speaker before they have shown anything: the pauses of 400 English turns to voice agents (LiveKit's
 * eot-bench, 705 pauses of 200 ms and more). Beyond 200 ms they are log-normal: 55.6 % last over 300 ms, 21.7 % over
 * 600 ms, 10 % over a second, 5 % over 1.6 s.
 */
const USUAL_LOG_MS = Math.log(123.4);
const USUAL_PAUSES_PER_TURN = 1.76;
/** Spread of one speaker's log pauses: of everyone's 1.48, what is left when part of it is that speakers differ. */
const LOG_SPREAD = 1.2;

/** The usual counts like so many pauses and turns of the speaker's own. */
const USUAL_PAUSES = 4;
const USUAL_TURNS = 3;
/** Nothing older than about so many pauses counts: habits change with the mood and the subject. */
const MAX_PAUSES = 60;
const MAX_TURNS = 40;

/**
 * How often a stop of the client has to have been the end before it is taken for one. Somebody with an open microphone
 * pauses; somebody who holds a key lets go of it when they are done.
 */
const RELEASE_SHARE = 0.85;
/** Weight of one stop. With sound to its very end it is a key let go rather than a client that waited out a silence. */
const STOP_WEIGHT = 0.25;
const CLEAR_STOP_WEIGHT = 0.5;
/** Three frames. */
const CLEAR_STOP_MS = 60;

/**
 * How one speaker pauses: learned from the silences within their turns, from being cut off, and from when their client
 * stops sending. Nothing is kept but a few sums. Should outlive the speaker's track, so that who comes back is known.
 */
export class SpeakerHabits {
  readonly #options: HabitOptions;
  #pauses = USUAL_PAUSES;
  #logSum = USUAL_PAUSES * USUAL_LOG_MS;
  #turns = USUAL_TURNS;
  #pausesInTurns = USUAL_TURNS * USUAL_PAUSES_PER_TURN;
  #releaseShare = 0.5;
  #stops = 0;
  #waitMs: number | undefined;

  constructor(options: HabitOptions = HABITS) {
    this.#options = options;
  }

  /** They paused within a turn, or went on after they had been cut off. */
  paused(silenceMs: number): void {
    if (silenceMs < PAUSE_FROM_MS) return;
    const keep = Math.min(1, (MAX_PAUSES - 1) / this.#pauses);
    this.#pauses = this.#pauses * keep + 1;
    this.#logSum = this.#logSum * keep + Math.log(Math.max(10, silenceMs - PAUSE_FROM_MS));
    this.#pausesInTurns++;
    this.#waitMs = undefined;
  }

  /** A turn of theirs is over for good. */
  finished(): void {
    const keep = Math.min(1, (MAX_TURNS - 1) / this.#turns);
    this.#turns = this.#turns * keep + 1;
    this.#pausesInTurns *= keep;
    this.#waitMs = undefined;
  }

  /** Their client stopped sending, `tailMs` after the last voice. `ended`: it turned out to be the end of the turn. */
  stopped(tailMs: number, ended: boolean): void {
    this.#stops++;
    const weight = !ended || tailMs <= CLEAR_STOP_MS ? CLEAR_STOP_WEIGHT : STOP_WEIGHT;
    this.#releaseShare += weight * ((ended ? 1 : 0) - this.#releaseShare);
  }

  /** Silence that ends their turn, in milliseconds after the last voiced frame. */
  get waitMs(): number {
    this.#waitMs ??= this.#balance();
    return this.#waitMs;
  }

  /** The longest that is ever waited. */
  get longestMs(): number {
    return this.#options.longestMs;
  }

  /** They stop sending when they are done, and only then: push to talk. */
  get releases(): boolean {
    return this.#releaseShare >= RELEASE_SHARE;
  }

  /** Their client says when it stops sending, so that a gap without it is loss. */
  get marksStops(): boolean {
    return this.#stops > 0;
  }

  /**
   * The wait `w` that makes `w + cost · pauses · P(pause > w)` least: where `cost · pauses · density(w)` has come down to 1.
   * For a log-normal density that is a quadratic equation in the logarithm of the wait beyond {@link PAUSE_FROM_MS}.
   */
  #balance(): number {
    const { shortestMs, longestMs, cutOffCostMs } = this.#options;
    const median = this.#logSum / this.#pauses;
    const pausesPerTurn = this.#pausesInTurns / this.#turns;
    const variance = LOG_SPREAD ** 2;
    const worth = Math.log((cutOffCostMs * pausesPerTurn) / (LOG_SPREAD * Math.sqrt(2 * Math.PI)));
    const root = variance + 2 * (worth - median);
    // Pauses are so rare that no wait is worth its while.
    if (!(root > 0)) return shortestMs;
    const waitMs = PAUSE_FROM_MS + Math.exp(median - variance + LOG_SPREAD * Math.sqrt(root));
    return Math.min(longestMs, Math.max(shortestMs, waitMs));
  }
}
