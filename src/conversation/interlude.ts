import type { Frame } from '../audio/frame.ts';
import { sleep, type Clock } from '../time/clock.ts';
import { BargeIn, isSpeech } from './barge-in.ts';
import type { Interludes, VoiceOutput } from './ports.ts';

/** After people have spoken it is quiet once nobody has for this long: longer than any silence that ends a turn. */
const QUIET_MS = 2_000;

/** `said`: short, and heard before a narration goes on. `narrated`: may be long, and gives way to that too. */
export type InterludeKind = 'said' | 'narrated';

/** How an interlude ended. */
export interface InterludeEnd {
  /** `spoken-over`: somebody spoke. `gave-way`: to an answer, or to something said. `gone`: the call, or the signal. */
  readonly reached: 'whole' | 'spoken-over' | 'gave-way' | 'gone';
  /** Frames that were heard. */
  readonly playedFrames: number;
}

interface Playing {
  readonly kind: InterludeKind;
  readonly bargeIn: BargeIn;
  readonly controller: AbortController;
  why: 'spoken-over' | 'gave-way' | undefined;
}

/** Plays what is no answer in a call, whenever nobody speaks and nothing is being answered. */
export class InterludePlayer implements Interludes {
  readonly #output: VoiceOutput;
  readonly #clock: Clock;
  readonly #playing = new Set<Playing>();
  #ear = new BargeIn();
  #spokenAtMs = Number.NEGATIVE_INFINITY;
  /** Answers in the making, and things being said. */
  #answers = 0;
  #said = 0;
  #changed = Promise.withResolvers<void>();

  constructor({ output, clock }: { output: VoiceOutput; clock: Clock }) {
    this.#output = output;
    this.#clock = clock;
  }

  voiced(speakerId: string, atMs: number): void {
    if (isSpeech(this.#ear.voiced(speakerId, atMs, true))) this.#spokenAtMs = this.#clock.nowMs();
    for (const playing of this.#playing) {
      if (isSpeech(playing.bargeIn.voiced(speakerId, atMs, true))) stop(playing, 'spoken-over');
    }
  }

  hold(): Disposable {
    this.#answers++;
    for (const playing of this.#playing) stop(playing, 'gave-way');
    return this.#release(() => this.#answers--);
  }

  /**
   * Plays once it is quiet; resolves when it is over, however it ended. Whoever wants to go on after `spoken-over` or
   * `gave-way` plays the rest: that waits until it is quiet again. Rejects only with the source's own error.
   */
  async play(frames: AsyncIterable<Frame>, kind: InterludeKind, signal: AbortSignal): Promise<InterludeEnd> {
    using _said = kind === 'said' ? this.#saying() : undefined;
    if (!(await this.#quiet(kind, signal))) return { reached: 'gone', playedFrames: 0 };
    const playing: Playing = { kind, bargeIn: new BargeIn(), controller: new AbortController(), why: undefined };
    this.#playing.add(playing);
    try {
      const both = AbortSignal.any([signal, playing.controller.signal]);
      const { playedFrames, complete } = await this.#output.play(frames, both);
      return { reached: complete ? 'whole' : (playing.why ?? 'gone'), playedFrames };
    } finally {
      this.#playing.delete(playing);
    }
  }

  #saying(): Disposable {
    this.#said++;
    for (const playing of this.#playing) if (playing.kind === 'narrated') stop(playing, 'gave-way');
    return this.#release(() => this.#said--);
  }

  #release(release: () => void): Disposable {
    return {
      [Symbol.dispose]: () => {
        release();
        this.#changed.resolve();
        this.#changed = Promise.withResolvers<void>();
      },
    };
  }

  /** Resolves with `false` when the signal aborts first. */
  async #quiet(kind: InterludeKind, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      if (signal.aborted) return false;
      const waitMs = this.#spokenAtMs + QUIET_MS - this.#clock.nowMs();
      if (waitMs > 0) {
        await sleep(this.#clock, waitMs, signal).catch(() => undefined);
      } else if (this.#answers > 0 || (kind === 'narrated' && this.#said > 0)) {
        await untilAborted(this.#changed.promise, signal);
      } else {
        return true;
      }
    }
  }
}

function stop(playing: Playing, why: 'spoken-over' | 'gave-way'): void {
  playing.why ??= why;
  playing.controller.abort();
}

/** Resolves with the promise, or when the signal aborts. */
async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.race([promise, aborted]);
  signal.removeEventListener('abort', onAbort);
}
