import type { Frame } from '../audio/frame.ts';
import { FrameQueue } from '../audio/frame-queue.ts';
import { levelDbfs } from '../audio/level.ts';
import type { AudioReference, ReplyDone, ReplyEvent, Usage } from '../model/model.ts';
import { HeardText } from './heard-text.ts';
import { withoutLeadingSilence } from './leading-silence.ts';
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
  /** Called with the reply's first event. Nothing is shown or played before it resolves. */
  readonly begun: () => Promise<void>;
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

  /** So little has been played, or written, that the reply can still be called off as if it had never begun. */
  get barelyBegun(): boolean {
    return this.#playedFrames < UNSAID_FRAMES && this.#written === '';
  }

  /** Runs the reply to its end or until the signal aborts. Never rejects: what went wrong is in the outcome. */
  async run({ events, output, captions, begun }: ReplyParts, signal: AbortSignal): Promise<ReplyOutcome> {
    const queue = new FrameQueue<Frame>(MAX_QUEUED_FRAMES);
    const audible = withoutLeadingSilence(queue, () => this.#trimmedFrames++);
    const playing = output.play(this.#counted(audible), signal);
    let caption: Caption | undefined;
    let done: ReplyDone | undefined;
    let failure: unknown;
    try {
      let hasBegun = false;
      for await (const event of events) {
        if (!hasBegun) await begun();
        if (signal.aborted) break;
        hasBegun = true;
        switch (event.type) {
          case 'audio':
            this.#heard.addFrame(levelDbfs(event.frame));
            await queue.push(event.frame, signal);
            break;
          case 'transcript':
            this.#heard.addText(event.delta);
            caption ??= captions.begin();
            caption.show(this.#heard.text);
            break;
          case 'text':
            this.#written += event.delta;
            caption ??= captions.begin();
            caption.show(this.#written);
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

    const outcome = this.#outcome({ done, failure, playback });
    // Not waited for: a channel that is slow to take words must not hold up the next answer. Who leaves waits for them.
    if (outcome.reached === 'nothing') void caption?.discard();
    else void caption?.finish(outcome.reached === 'whole' ? outcome.text : `${outcome.text}…`);
    return outcome;
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

  async *#counted(frames: AsyncIterable<Frame>): AsyncGenerator<Frame> {
    for await (const frame of frames) {
      this.#playedFrames++;
      yield frame;
    }
  }
}
