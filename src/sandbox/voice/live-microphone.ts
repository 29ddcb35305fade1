import { TRAILING_SILENCE_FRAMES, type Frame } from '../../audio/frame.ts';
import type { VoiceActivityDetector } from '../../audio/vad.ts';

/** Frames a voice gate looks ahead: a word's soft beginning is sent with the rest of it. */
const LOOK_AHEAD_FRAMES = 2;
/** How long the gate stays open after the last voiced frame, so that it does not clip words (300 ms). */
const HOLD_FRAMES = 15;

/**
 * Who opens a microphone: `voice`, the sound itself, as Discord's "voice activity"; `open` and `closed`, a key, as its
 * "push to talk".
 */
export type MicrophoneGate = 'voice' | 'open' | 'closed';

/** The track a live microphone speaks on. */
export interface LiveTrack {
  /** One frame of sound, or of the silence that ends a stretch of speech. */
  sendLive(frame: Frame, silence: boolean): void;
}

/** A person's microphone that is live: frames come in as they are recorded, and leave as Discord's client sends them. */
export class LiveMicrophone implements Disposable {
  gate: MicrophoneGate = 'voice';
  readonly #voiceActivity: VoiceActivityDetector;
  readonly #track: () => LiveTrack | undefined;
  readonly #ahead: Frame[] = [];
  #openFrames = 0;
  #silenceFrames = 0;

  /** `track` is asked for each frame: the person may be in no call. */
  constructor(voiceActivity: VoiceActivityDetector, track: () => LiveTrack | undefined) {
    this.#voiceActivity = voiceActivity;
    this.#track = track;
  }

  /** Takes the next frame; what is sent with it is at most {@link LOOK_AHEAD_FRAMES} older. */
  push(frame: Frame): void {
    const voiced = this.#voiceActivity.isVoiced(frame);
    this.#ahead.push(frame);
    if (this.gate === 'open' || (this.gate === 'voice' && voiced)) {
      this.#openFrames = LOOK_AHEAD_FRAMES + (this.gate === 'voice' ? HOLD_FRAMES : 1);
    } else if (this.gate === 'closed') {
      this.#openFrames = Math.min(this.#openFrames, LOOK_AHEAD_FRAMES);
    }
    if (this.#ahead.length <= LOOK_AHEAD_FRAMES) return;
    const due = this.#ahead.shift();
    if (due === undefined) return;
    if (this.#openFrames > 0) {
      this.#openFrames -= 1;
      this.#silenceFrames = TRAILING_SILENCE_FRAMES;
      this.#track()?.sendLive(due, false);
    } else if (this.#silenceFrames > 0) {
      this.#endWithSilence(due);
    }
  }

  /** Ends what is being said at once. */
  [Symbol.dispose](): void {
    while (this.#silenceFrames > 0) this.#endWithSilence(new Int16Array(0));
    this.#voiceActivity[Symbol.dispose]();
  }

  #endWithSilence(frame: Frame): void {
    this.#silenceFrames -= 1;
    this.#track()?.sendLive(frame, true);
  }
}
