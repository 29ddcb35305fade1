import type { Clock } from '../time/clock.ts';
import type { Answer } from './answer.ts';
import { BargeIn, isSpeech } from './barge-in.ts';
import { isLong } from './turn.ts';

/** After so much quiet whoever spoke over the reply is done, and it comes to the foreground again. */
const RELAX_MS = 300;

/** An answer that nobody has heard yet waits no longer for those who speak on: then it is heard behind them. */
const MAX_WAIT_MS = 10_000;

/** How one answer gives way to those who speak over it, and comes back: ducked, paused, cut or withdrawn. */
export class GivingWay implements Disposable {
  readonly #answer: Answer;
  readonly #clock: Clock;
  #bargeIn = new BargeIn();
  /** Decisions about speech over it that wait for words. */
  #open = 0;
  #relaxing: Disposable | undefined;
  /** Since when it has waited to be heard at all. */
  #waitsSinceMs: number | undefined;

  constructor(answer: Answer, clock: Clock) {
    this.#answer = answer;
    this.#clock = clock;
  }

  /**
   * Takes a speaker's voiced frame. `isParty`: the answer is for them; `inTurn`: it is speech that will also end.
   * `withdrawn`: nobody had heard of the answer, so it never happened and the turn it was for goes on. `cut`: it has been
   * heard, and is theirs now.
   */
  voiced(
    speakerId: string,
    atMs: number,
    { isParty, inTurn }: { isParty: boolean; inTurn: boolean },
  ): 'withdrawn' | 'cut' | undefined {
    const answer = this.#answer;
    if (this.#waitsSinceMs !== undefined && !answer.barelyBegun) {
      // What it waited for was not spoken over it.
      this.#waitsSinceMs = undefined;
      this.#bargeIn = new BargeIn();
    }
    const yielding = this.#bargeIn.voiced(speakerId, atMs, isParty);
    if (answer.barelyBegun && isParty && inTurn && isSpeech(yielding) && !isLong(answer.turn.utterances)) {
      answer.withdraw();
      return 'withdrawn';
    }
    // What nobody has heard yet waits for those who speak on: whoever asked would never know why nothing came.
    if (yielding === 'yield' && inTurn && !answer.barelyBegun) {
      answer.stop();
      return 'cut';
    }
    if (yielding === 'pause' || yielding === 'yield') this.#pause();
    else if (yielding !== 'none' && answer.loudness.level === 'full') answer.loudness.set('ducked');
    this.#relaxing?.[Symbol.dispose]();
    this.#relaxing = this.#clock.after(RELAX_MS, () => this.#relax());
    return undefined;
  }

  /** The reply stays in the background until it is known what was said over it. */
  async until<T>(decided: Promise<T>): Promise<T> {
    this.#open++;
    try {
      return await decided;
    } finally {
      this.#open--;
      this.#relax();
    }
  }

  [Symbol.dispose](): void {
    this.#relaxing?.[Symbol.dispose]();
  }

  #pause(): void {
    const { loudness, barelyBegun } = this.#answer;
    if (!barelyBegun) {
      loudness.set('paused');
      return;
    }
    const nowMs = this.#clock.nowMs();
    this.#waitsSinceMs ??= nowMs;
    loudness.set(nowMs - this.#waitsSinceMs < MAX_WAIT_MS ? 'paused' : 'ducked');
  }

  #relax(): void {
    const quietMs = this.#clock.nowMs() - (this.#bargeIn.lastVoicedAtMs ?? -Infinity);
    if (this.#open === 0 && quietMs >= RELAX_MS) this.#answer.loudness.set('full');
  }
}
