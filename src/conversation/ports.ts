import type { Frame } from '../audio/frame.ts';

/**
 * What the conversation needs from the world. `discord/` implements these; the conversation never sees Discord itself.
 */

/** Someone in the voice channel. */
export interface Speaker {
  readonly id: string;
  /** Display name as Discord shows it: untrusted text. */
  readonly name: string;
}

/** What arrives from the voice channel, speakers interleaved in order of arrival. */
export type VoiceInputEvent =
  /** 20 ms of one speaker's own track. */
  | {
      readonly type: 'frame';
      readonly speaker: Speaker;
      readonly frame: Frame;
      /** Monotonic time at which the packet arrived. */
      readonly atMs: number;
      /** Silence before this frame by the sender's own clock: clients send nothing while nobody speaks. */
      readonly pauseMs: number;
      /** The packet was lost and this frame was made up to fill its place. */
      readonly concealed: boolean;
    }
  /** The speaker's client sent Opus silence frames: a deliberate stop, not loss. */
  | { readonly type: 'silence'; readonly speaker: Speaker; readonly atMs: number }
  /** The speaker muted themselves, left or was moved away: nothing more comes of this stretch of speech. */
  | { readonly type: 'gone'; readonly speaker: Speaker; readonly atMs: number }
  /** The speaker does not want to be heard any more: what is not answered yet of what they said is dropped. */
  | { readonly type: 'withdrawn'; readonly speaker: Speaker; readonly atMs: number };

export interface VoiceInput {
  /** Every admitted speaker's track until the signal aborts. Bounded: the oldest frames are dropped and counted. */
  listen(signal: AbortSignal): AsyncIterable<VoiceInputEvent>;
}

export interface VoiceOutput {
  /**
   * Plays frames in order: the first at once, the rest 20 ms apart on the monotonic clock, then five silence frames.
   * When frames run out before the source ends it waits and goes on without loss. Aborting the signal drops what is
   * queued within one frame. Never rejects on abort.
   */
  play(frames: AsyncIterable<Frame>, signal: AbortSignal): Promise<Playback>;
}

/** Sound of the call that is no answer, such as a narration: it gives way to people and to answers. */
export interface Interludes {
  /** Somebody's voiced frame. */
  voiced(speakerId: string, atMs: number): void;
  /** Nothing but the answer sounds until this is disposed. */
  hold(): Disposable;
}

export interface Playback {
  /** Frames sent before the end or the interruption: 20 ms each. */
  readonly playedFrames: number;
  /** Monotonic time of the first packet, or `undefined` when none was sent. */
  readonly firstFrameAtMs: number | undefined;
  /** `false` when the signal cut it. */
  readonly complete: boolean;
}

/** Who is answered in a call with several people; somebody who is alone with the bot always is, but for `off`. */
export type AnswerMode =
  /** Everyone. */
  | 'always'
  /** Who says the bot's name, presses the button, mentions it, or was answered a moment ago. */
  | 'name'
  /** As `name`, but for the name: nothing has to be written down to know who is meant. */
  | 'button'
  /** Nobody: the bot only listens. */
  | 'off';

/** What people chose for a channel. */
export interface ChannelSettings {
  /** A voice name the deployment accepts. */
  readonly voice: string;
  readonly answers: AnswerMode;
}

/** What a call is doing just now. */
export type CallPhase = 'listening' | 'thinking' | 'speaking' | 'paused';

/** A call that runs, as its buttons see it. */
export interface RunningCall {
  /** Resolves when the call has ended and all is said. Rejects when it broke. */
  readonly ended: Promise<void>;
  /** Ends the answer that is being given, if there is one. */
  stop(): void;
  /** This person means the bot with what they say now or next: they pressed its button or mentioned it. */
  address(personId: string): void;
}

/** Where the words of a conversation appear. */
export interface Captions {
  /**
   * Starts a caption that grows: the bot's own words, or those of a person in the call. Anything in them that would ping
   * is made harmless.
   */
  begin(speaker?: Speaker): Caption;
  /** A sentence for the people in the channel, such as why a turn could not be answered. */
  notice(text: string): void;
}

export interface Caption {
  /** Shows `text` in place of what was shown before. Latest wins; edits keep within Discord's limits. Never throws. */
  show(text: string): void;
  /** Shows the final text and releases the caption. Resolves once it is visible, or has failed and was logged. */
  finish(text: string): Promise<void>;
  /** Takes the caption away: what it showed was never said. Never throws. */
  discard(): Promise<void>;
}
