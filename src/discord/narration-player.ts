import type { Frame } from '../audio/frame.ts';
import { decodePackets, splitPackets } from '../narration/packets.ts';
import type { Spool } from '../narration/spool.ts';
import type { VoiceCall } from './voice-call.ts';

/** After an interruption it goes on a little before: nobody heard the words that were spoken over. */
const REWIND_FRAMES = 100;
/** "Back" in the first seconds of a passage means the one before. */
const BACK_FRAMES = 150;

/** `ended`: heard to its end, stopped, or the call is over. */
export type PlayerState = 'playing' | 'paused' | 'ended';

/** Plays what has been read so far of a narration in a call, and waits for more. */
export class NarrationPlayer {
  readonly #call: Pick<VoiceCall, 'play'>;
  readonly #spool: Spool;
  readonly #stop = new AbortController();
  #state: PlayerState = 'playing';
  #allRead = false;
  /** What is played next, or now. */
  #passage = 0;
  #frame = 0;
  /** Aborts what is being played. */
  #step = new AbortController();

  constructor(call: Pick<VoiceCall, 'play'>, spool: Spool) {
    this.#call = call;
    this.#spool = spool;
  }

  get state(): PlayerState {
    return this.#state;
  }

  /** Resolves when it has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const stopped = AbortSignal.any([signal, this.#stop.signal]);
    const aborted = Promise.withResolvers<void>();
    stopped.addEventListener('abort', () => aborted.resolve(), { once: true });
    try {
      while (!stopped.aborted) {
        const hasMore = this.#passage < this.#spool.count;
        if (!hasMore && this.#allRead) return;
        if (!hasMore || this.#state === 'paused') {
          await Promise.race([this.#spool.changed, aborted.promise]);
          continue;
        }
        const step = (this.#step = new AbortController());
        const { reached } = await this.#call.play(this.#frames(), 'narrated', AbortSignal.any([stopped, step.signal]));
        const isMoved = step.signal.aborted;
        // Nothing that is still on its way out of the decoder may move the place.
        step.abort();
        if (isMoved || reached === 'whole') continue;
        if (reached === 'gone') return;
        this.#frame = Math.max(0, this.#frame - REWIND_FRAMES);
      }
    } finally {
      this.#state = 'ended';
    }
  }

  /** Nothing more will be read. */
  allRead(): void {
    this.#allRead = true;
    this.#spool.wake();
  }

  pause(): void {
    if (this.#state !== 'playing') return;
    this.#state = 'paused';
    this.#frame = Math.max(0, this.#frame - REWIND_FRAMES);
    this.#step.abort();
  }

  goOn(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'playing';
    this.#spool.wake();
  }

  /** To the beginning of the passage, or of the one before. */
  back(): void {
    const passage = this.#frame < BACK_FRAMES ? Math.max(0, this.#passage - 1) : this.#passage;
    this.#moveTo(passage);
  }

  /** To the next passage, where there is one. */
  on(): void {
    if (this.#passage + 1 < this.#spool.count) this.#moveTo(this.#passage + 1);
  }

  stop(): void {
    this.#stop.abort();
  }

  #moveTo(passage: number): void {
    this.#passage = passage;
    this.#frame = 0;
    this.#step.abort();
    this.#spool.wake();
  }

  /** From here to the end of what has been read. */
  async *#frames(): AsyncGenerator<Frame, void, undefined> {
    const step = this.#step;
    while (this.#passage < this.#spool.count) {
      let at = 0;
      for await (const frame of decodePackets(this.#packets(this.#passage))) {
        if (step.signal.aborted) return;
        if (at++ < this.#frame) continue;
        this.#frame = at;
        yield frame;
        if (step.signal.aborted) return;
      }
      this.#passage++;
      this.#frame = 0;
    }
  }

  async *#packets(passage: number): AsyncGenerator<Uint8Array[], void, undefined> {
    yield splitPackets(await this.#spool.read(passage));
  }
}
