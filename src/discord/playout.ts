import { FRAME_MS, FRAME_SAMPLES, OPUS_SILENCE, TRAILING_SILENCE_FRAMES, type Frame } from '../audio/frame.ts';
import { OpusEncoder } from '../audio/opus.ts';
import type { Playback, VoiceOutput } from '../conversation/ports.ts';
import type { Log } from '../telemetry/log.ts';
import { sleep, type Clock } from '../time/clock.ts';

/** After a late timer at most this many frames leave at once; the rest of the lateness becomes a pause. */
const MAX_BURST_FRAMES = 5;
/** A source that stays dry for longer than this after its frame was due gets silence frames, lest clients extrapolate. */
const SILENCE_AFTER_MS = 100;
/** A source answers within this when it has a frame; any longer is a stall. */
const ANSWER_MS = 1;
/** How long a reply is held while the connection recovers. */
const MAX_HOLD_MS = 5_000;

const SILENT_FRAME = new Int16Array(FRAME_SAMPLES);

/** What became of an Opus packet. `not-ready`: the connection is recovering; try the same packet again. */
export type SendResult = 'sent' | 'not-ready' | 'gone';

/** Where packets leave: a voice connection. */
export interface OpusSink {
  sendOpus(packet: Uint8Array): SendResult;
  setSpeaking(speaking: boolean): void;
}

export interface PlayoutOptions {
  readonly sink: OpusSink;
  /** Called with each frame that has been sent. */
  readonly onFrame?: (frame: Frame) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Sends replies to the voice channel. Each frame is encoded just before it leaves, one ahead at most, so that a change of
 * loudness or an abort acts within 20 ms.
 *
 * The schedule is absolute, so it does not drift: frame n is due 20 ms x n after the first. It starts again from now after
 * a stall of the source or of the connection: nothing is lost, only later. Calls are sequential: a second one waits for
 * the first to end.
 */
export class Playout implements VoiceOutput, Disposable {
  readonly #options: PlayoutOptions;
  /** One for all replies: a listener's decoder goes on from the last packet, and so must what it is sent. */
  readonly #encoder = new OpusEncoder('live');
  #last: Promise<void> = Promise.resolve();

  constructor(options: PlayoutOptions) {
    this.#options = options;
  }

  /**
   * Plays one reply; resolves when its last silence frame has left. A connection that does not recover within 5 s, or is
   * gone, makes the playback incomplete. Rejects only with the source's own error, after what came before it was played.
   */
  async play(frames: AsyncIterable<Frame>, signal: AbortSignal): Promise<Playback> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = before.then(() => promise);
    using aborted = new Aborted(signal);
    try {
      await aborted.or(before);
      const reply = new Reply({ ...this.#options, encoder: this.#encoder }, frames, aborted);
      return await reply.play();
    } finally {
      resolve();
    }
  }

  /** To be called when nothing is playing any more. */
  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]();
  }
}

/**
 * An abort as something to wait for beside one thing after the other. A race against one promise for the whole reply would
 * leave something behind with each frame until the end.
 */
class Aborted implements Disposable {
  readonly signal: AbortSignal;
  #wake: ((value: 'aborted') => void) | undefined;
  readonly #onAbort = (): void => this.#wake?.('aborted');

  constructor(signal: AbortSignal) {
    this.signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** What the promise gives, or `aborted` where that comes first. One wait at a time. */
  or<T>(promise: Promise<T>): Promise<T | 'aborted'> {
    return new Promise((resolve, reject) => {
      if (this.signal.aborted) resolve('aborted');
      this.#wake = resolve;
      promise.then(resolve, reject);
    });
  }

  [Symbol.dispose](): void {
    this.signal.removeEventListener('abort', this.#onAbort);
  }
}

/** One reply on its way out. */
class Reply {
  readonly #sink: OpusSink;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #source: AsyncIterator<Frame>;
  readonly #aborted: Aborted;
  readonly #encoder: OpusEncoder;
  readonly #onFrame: ((frame: Frame) => void) | undefined;
  /** When the next frame is due; `undefined` until the first has left. */
  #dueMs: number | undefined;
  #firstFrameAtMs: number | undefined;
  #playedFrames = 0;
  #stalls = 0;
  #maxLateMs = 0;

  constructor(
    { sink, clock, log, encoder, onFrame }: PlayoutOptions & { encoder: OpusEncoder },
    frames: AsyncIterable<Frame>,
    aborted: Aborted,
  ) {
    this.#encoder = encoder;
    this.#onFrame = onFrame;
    this.#sink = sink;
    this.#clock = clock;
    this.#log = log;
    this.#source = frames[Symbol.asyncIterator]();
    this.#aborted = aborted;
  }

  async play(): Promise<Playback> {
    let complete = false;
    try {
      complete = await this.#playFrames();
    } finally {
      await this.#endSpeech(complete);
      // Not awaited: a generator that waits for its own source cannot return before that source answers.
      this.#source.return?.().catch(() => undefined);
    }
    this.#log.debug(
      { playedFrames: this.#playedFrames, complete, stalls: this.#stalls, maxLateMs: Math.round(this.#maxLateMs) },
      'playout ended',
    );
    return { playedFrames: this.#playedFrames, firstFrameAtMs: this.#firstFrameAtMs, complete };
  }

  /** @returns whether the source was played to its end. */
  async #playFrames(): Promise<boolean> {
    for (;;) {
      const next = await this.#nextFrame();
      if (next === 'aborted') return false;
      if (next === 'ended') return true;
      const packet = this.#encoder.encode(next);
      if (!(await this.#untilDue()) || !(await this.#send(packet))) return false;
      this.#playedFrames++;
      this.#onFrame?.(next);
    }
  }

  async #nextFrame(): Promise<Frame | 'ended' | 'aborted'> {
    if (this.#aborted.signal.aborted) return 'aborted';
    const askedAtMs = this.#clock.nowMs();
    using _silence = this.#silenceWhenDry(askedAtMs);
    const next = await this.#aborted.or(this.#source.next());
    if (next === 'aborted' || this.#aborted.signal.aborted) return 'aborted';
    const nowMs = this.#clock.nowMs();
    if (this.#dueMs !== undefined && nowMs > this.#dueMs && nowMs - askedAtMs > ANSWER_MS) {
      this.#dueMs = nowMs;
      this.#stalls++;
    }
    return next.done === true ? 'ended' : next.value;
  }

  #silenceWhenDry(nowMs: number): Disposable | undefined {
    if (this.#dueMs === undefined) return undefined;
    return this.#clock.after(Math.max(0, this.#dueMs + SILENCE_AFTER_MS - nowMs), () => this.#sendSilence());
  }

  /** @returns `false` when the reply was aborted meanwhile. */
  async #untilDue(): Promise<boolean> {
    const { signal } = this.#aborted;
    if (this.#dueMs !== undefined) {
      const waitMs = this.#dueMs - this.#clock.nowMs();
      // The rejection is the abort itself, which is looked at below.
      if (waitMs > 0) await sleep(this.#clock, waitMs, signal).catch(() => undefined);
    }
    return !signal.aborted;
  }

  /** Sends one packet now, waiting while the connection recovers. @returns `false` when it could not be sent. */
  async #send(packet: Uint8Array): Promise<boolean> {
    const { signal } = this.#aborted;
    if (this.#firstFrameAtMs === undefined) this.#sink.setSpeaking(true);
    const giveUpAtMs = this.#clock.nowMs() + MAX_HOLD_MS;
    for (let held = false; ; held = true) {
      const nowMs = this.#clock.nowMs();
      const result = this.#sink.sendOpus(packet);
      if (result === 'sent') {
        this.#sent(nowMs, held);
        return true;
      }
      if (result === 'gone' || nowMs >= giveUpAtMs) return false;
      await sleep(this.#clock, FRAME_MS, signal).catch(() => undefined);
      if (signal.aborted) return false;
    }
  }

  #sent(nowMs: number, held: boolean): void {
    this.#firstFrameAtMs ??= nowMs;
    const dueMs = held ? nowMs : (this.#dueMs ?? nowMs);
    this.#maxLateMs = Math.max(this.#maxLateMs, nowMs - dueMs);
    this.#dueMs = Math.max(dueMs, nowMs - (MAX_BURST_FRAMES - 1) * FRAME_MS) + FRAME_MS;
  }

  /** Five silence frames: in step after a whole reply, at once after an interruption, none when nothing was sent. */
  async #endSpeech(complete: boolean): Promise<void> {
    if (this.#firstFrameAtMs === undefined) return;
    for (let frame = 0; frame < TRAILING_SILENCE_FRAMES; frame++) {
      if (complete) await this.#untilDue();
      // The packet says it shorter; the coder must have heard the silence all the same.
      this.#encoder.encode(SILENT_FRAME);
      const nowMs = this.#clock.nowMs();
      if (this.#sink.sendOpus(OPUS_SILENCE) === 'sent') this.#sent(nowMs, false);
    }
    this.#sink.setSpeaking(false);
  }

  #sendSilence(): void {
    for (let frame = 0; frame < TRAILING_SILENCE_FRAMES; frame++) this.#sink.sendOpus(OPUS_SILENCE);
  }
}
