import type { Frame } from '../audio/frame.ts';
import { FrameQueue } from '../audio/frame-queue.ts';
import { levelDbfs } from '../audio/level.ts';
import type { AudioReference, ReplyDone, ReplyEvent, Usage } from '../model/model.ts';
import { whenAborted } from '../time/aborted.ts';
import { HeardText } from './heard-text.ts';
import { withoutLeadingSilence } from './leading-silence.ts';
import type { Loudness } from './loudness.ts';
import type { Caption, Captions, Playback, VoiceOutput } from './ports.ts';

/** Fifteen minutes at 50 frames a second: more than the longest reply a model gives. */
const MAX_QUEUED_FRAMES = 45_000;

/** A reply that was cut sooner than this after its start is treated as never said. */
const UNSAID_FRAMES = 15;

/** How a reply went. */
export interface ReplyOutcome {
  /** `whole`: all of it was heard or read. `part`: it was cut. `nothing`: it might as well not have been. */
  readonly reached: 'whole' | 'part' | 'nothing';
  /** The words that were heard, or read when the model answered without sound. */
  readonly text: string;
  /** For the history, when the whole was heard. */
  readonly audio: AudioReference | undefined;
  readonly usage: Usage | undefined;
  readonly finish: ReplyDone['finish'] | undefined;
  /** The model answered with words alone, though it was asked to speak. */
  readonly silent: boolean;
  /** Why the model stopped too early, when it did. */
  readonly failure: unknown;
  readonly playback: Playback;
}

export interface ReplyParts {
  readonly events: AsyncIterable<ReplyEvent>;
  readonly output: VoiceOutput;
  readonly captions: Captions;
  readonly loudness: Loudness;
  /** Called with the reply's first event; what is shown or heard of it waits for that. Never rejects. */
  readonly begun: () => Promise<void>;
  /** Nothing is shown or played before this resolves: whether the turn is over may still be open. */
  readonly released: Promise<void>;
  /** Called with the first sound that is not silence, when it has come from the model. */
  readonly onSound: () => void;
  /** Called when the first sound goes out. */
  readonly onPlaying: () => void;
}

/** For a reply whose words are in the channel already. */
export const NO_CAPTIONS: Captions = {
  begin: () => ({ show: () => {}, finish: () => Promise.resolve(), discard: () => Promise.resolve() }),
  notice: () => {},
};

/**
 * Speaks one reply while it is being made: frames go to the voice channel as they arrive, words to the caption. The model
 * is read as fast as it sends; what is ahead of the voice waits in a queue.
 */
export class SpokenReply {
  readonly #heard = new HeardText();
  #playedFrames = 0;
  #trimmedFrames = 0;
  /** Words of a reply without sound. */
  #written = '';
  #isReleased = false;
  #caption: Caption | undefined;

  /** So little has been played, or written, that the reply can still be called off as if it had never begun. */
  get barelyBegun(): boolean {
    return this.#playedFrames < UNSAID_FRAMES && (this.#written === '' || !this.#isReleased);
  }

  /** Runs the reply to its end or until the signal aborts. Never rejects: what went wrong is in the outcome. */
  async run(parts: ReplyParts, signal: AbortSignal): Promise<ReplyOutcome> {
    const { events, output, captions, begun, released } = parts;
    const queue = new FrameQueue<Frame>(MAX_QUEUED_FRAMES);
    const hasBegun = Promise.withResolvers<void>();
    const open = Promise.all([released, hasBegun.promise]);
    const playing = output.play(this.#audible(queue, parts, open), signal);
    // Looked at when the model has been read to its end, which may be long after it failed.
    playing.catch(() => {});
    const show = (): void => {
      if (!this.#isReleased || this.#words === '') return;
      this.#caption ??= captions.begin();
      this.#caption.show(this.#words);
    };
    void open.then(() => {
      this.#isReleased = true;
      if (!signal.aborted) show();
    });
    let isFirst = true;
    let done: ReplyDone | undefined;
    let failure: unknown;
    try {
      for await (const event of events) {
        if (isFirst) void begun().then(hasBegun.resolve);
        isFirst = false;
        if (signal.aborted) break;
        switch (event.type) {
          case 'audio':
            this.#heard.addFrame(levelDbfs(event.frame));
            await queue.push(event.frame, signal);
            break;
          case 'transcript':
            this.#heard.addText(event.delta);
            show();
            break;
          case 'text':
            this.#written += event.delta;
            show();
            break;
          case 'done':
            done = event;
            break;
        }
      }
    } catch (error) {
      if (!signal.aborted) failure = error;
    }
    queue.end();
    const playback = await playing;
    // A reply without sound is not over before it could be read.
    if (!isFirst) await Promise.race([open, whenAborted(signal)]);

    const outcome = this.#outcome({ done, failure, playback });
    // Not waited for: a channel that is slow to take words must not hold up the next answer. Who leaves waits for them.
    if (outcome.reached === 'nothing') void this.#caption?.discard();
    else void this.#caption?.finish(outcome.reached === 'whole' ? outcome.text : `${outcome.text}…`);
    return outcome;
  }

  get #words(): string {
    return this.#heard.text === '' ? this.#written : this.#heard.text;
  }

  #outcome(end: { done: ReplyDone | undefined; failure: unknown; playback: Playback }): ReplyOutcome {
    const { done, failure, playback } = end;
    const written = this.#written;
    const text =
      this.#heard.text === ''
        ? written
        : this.#heard.upTo(this.#trimmedFrames + playback.playedFrames, done !== undefined);
    const cut = !playback.complete || done?.finish !== 'stop';
    const unsaid = this.#heard.text !== '' && cut && playback.playedFrames < UNSAID_FRAMES;
    return {
      reached: unsaid || text === '' ? 'nothing' : cut ? 'part' : 'whole',
      text: unsaid ? '' : text,
      audio: cut ? undefined : done?.audio,
      usage: done?.usage,
      finish: done?.finish,
      silent: this.#heard.text === '' && written !== '' && playback.playedFrames === 0,
      failure,
      playback,
    };
  }

  /** The reply's sound from its first audible frame on, once it may be heard. */
  async *#audible(
    queue: AsyncIterable<Frame>,
    { loudness, onSound, onPlaying }: ReplyParts,
    open: Promise<unknown>,
  ): AsyncGenerator<Frame> {
    const sound = withoutLeadingSilence(queue, () => this.#trimmedFrames++);
    for await (const frame of loudness.applyTo(held(sound, onSound, open))) {
      if (this.#playedFrames++ === 0) onPlaying();
      yield frame;
    }
  }
}

async function* held(frames: AsyncIterable<Frame>, onFirst: () => void, open: Promise<unknown>): AsyncGenerator<Frame> {
  let isFirst = true;
  for await (const frame of frames) {
    if (isFirst) {
      onFirst();
      await open;
      isFirst = false;
    }
    yield frame;
  }
}
