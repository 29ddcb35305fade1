import type { Clock } from '../../time/clock.ts';
import type { BotLink } from './bot-link.ts';
import type { FaultPlan } from './faults.ts';

/** A client that does not answer is not waited for. */
const HAND_ON_LIMIT_MS = 250;

/** Whose packets an SSRC marks. */
export interface Voice {
  readonly userId: string;
  readonly ssrc: number;
}

/**
 * Opcode 5, once for each stretch of speech and before its first packet. The two travel on different sockets, and a client
 * drops packets of an SSRC it does not know: so the first packet waits until the client has the first opcode 5.
 */
export class SpeakingNotices implements Disposable {
  readonly #clock: Clock;
  readonly #faults: FaultPlan;
  readonly #timers = new Set<Disposable>();
  /** SSRCs whose stretch of speech has not begun yet, and the link that has been told of it already. */
  readonly #ahead = new Map<number, BotLink>();

  constructor(clock: Clock, faults: FaultPlan) {
    this.#clock = clock;
    this.#faults = faults;
  }

  /** A person is about to speak. Resolves when the client knows them, unless a fault keeps it from it. */
  async before(link: BotLink, voice: Voice, signal: AbortSignal): Promise<void> {
    this.#ahead.set(voice.ssrc, link);
    if (!this.#tell(link, voice) || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _limit = this.#clock.after(HAND_ON_LIMIT_MS, resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    link.whenHandedOn(resolve);
    await promise;
  }

  /** A person's first packet is about to leave. */
  begun(link: BotLink, voice: Voice): void {
    const told = this.#ahead.get(voice.ssrc) === link;
    this.#ahead.delete(voice.ssrc);
    if (!told) this.#tell(link, voice);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers.clear();
  }

  /** Returns whether it has just been told something it did not know. */
  #tell(link: BotLink, { userId, ssrc }: Voice): boolean {
    const delayMs = this.#faults.takeSpeakingDelayMs();
    if (delayMs === 0) return link.personSpeaking(userId, ssrc);
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      link.personSpeaking(userId, ssrc);
    });
    this.#timers.add(timer);
    return false;
  }
}
