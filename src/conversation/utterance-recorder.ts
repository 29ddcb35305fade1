import { FRAME_MS, FRAME_SAMPLES, type Frame } from '../audio/frame.ts';
import type { Speaker } from './ports.ts';
import type { Utterance } from './turn.ts';

/** Compresses frames to MP3 as they come, so that nothing is left to do when the turn ends. Disposed of when it has. */
export interface SpeechEncoder extends Disposable {
  /** The bytes that are complete with this frame. */
  encode(frame: Frame): Uint8Array;
}

/** Sound before the detector is sure of speech, so that the first consonant is not lost. */
const PRE_ROLL_FRAMES = 15;
/** A pause at least this long parts what is spoken from what was there before. */
const PAUSE_FROM_MS = 100;
/** Pauses are kept at their length, since they carry meaning, up to this. */
const MAX_PAUSE_MS = 3000;
/**
 * Silence that brings what was said out of the encoder (measured: LAME holds back up to 122 ms, so 2 ms at most are missing).
 * No longer than the pause at which {@link UtteranceRecorder.soFar} is asked, or the pause would grow by it.
 */
const FLUSH_FRAMES = 6;

const SILENT_FRAME = new Int16Array(FRAME_SAMPLES);

interface TimedFrame {
  readonly frame: Frame;
  readonly atMs: number;
  readonly pauseMs: number;
  readonly voiced: boolean;
}

interface Recording {
  readonly encoder: SpeechEncoder;
  readonly chunks: Uint8Array[];
  readonly startedAtMs: number;
  frames: number;
  voicedFrames: number;
  lastVoicedAtMs: number;
  /** Frames since the last voiced one. */
  trailingFrames: number;
  /** Silence that was written ahead of its time, to be taken off the pause that follows. */
  aheadFrames: number;
  /** What {@link UtteranceRecorder.soFar} gave last, while nothing has come since. */
  utterance: Utterance | undefined;
}

/** Records one speaker's utterances from their frames. */
export class UtteranceRecorder {
  readonly #speaker: Speaker;
  readonly #createEncoder: () => SpeechEncoder;
  #preRoll: TimedFrame[] = [];
  #recording: Recording | undefined;

  constructor(speaker: Speaker, createEncoder: () => SpeechEncoder) {
    this.#speaker = speaker;
    this.#createEncoder = createEncoder;
  }

  /** Takes the next frame, whether or not an utterance is being recorded. */
  push(timed: TimedFrame): void {
    if (this.#recording) {
      this.#write(this.#recording, timed);
      return;
    }
    this.#preRoll.push(timed);
    if (this.#preRoll.length > PRE_ROLL_FRAMES) this.#preRoll.shift();
  }

  /** Starts an utterance with the frames just pushed: those that follow each other without a pause. */
  begin(): void {
    const preRoll = this.#preRoll;
    this.#preRoll = [];
    const afterPause = preRoll.findLastIndex(({ pauseMs }) => pauseMs >= PAUSE_FROM_MS);
    const frames = preRoll.slice(Math.max(0, afterPause));
    const startedAtMs = frames[0]?.atMs ?? 0;
    this.#recording = {
      encoder: this.#createEncoder(),
      chunks: [],
      startedAtMs,
      frames: 0,
      voicedFrames: 0,
      lastVoicedAtMs: startedAtMs,
      trailingFrames: 0,
      aheadFrames: 0,
      utterance: undefined,
    };
    for (const [index, timed] of frames.entries()) {
      this.#write(this.#recording, index === 0 ? { ...timed, pauseMs: 0 } : timed);
    }
  }

  /** The utterance as it would be if it ended here, whole in itself; it goes on all the same. `undefined` outside of one. */
  soFar(): Utterance | undefined {
    const recording = this.#recording;
    if (!recording) return undefined;
    for (; recording.trailingFrames < FLUSH_FRAMES; recording.aheadFrames++) {
      this.#encode(recording, SILENT_FRAME);
      recording.trailingFrames++;
    }
    recording.utterance ??= {
      speaker: this.#speaker,
      startedAtMs: recording.startedAtMs,
      lastVoicedAtMs: recording.lastVoicedAtMs,
      voicedMs: recording.voicedFrames * FRAME_MS,
      speech: { format: 'mp3', data: Buffer.concat(recording.chunks), durationMs: recording.frames * FRAME_MS },
    };
    return recording.utterance;
  }

  /** Ends the utterance; `undefined` when none was begun. The same object as {@link soFar} gave when nothing came since. */
  end(): Utterance | undefined {
    const utterance = this.soFar();
    this.#recording?.encoder[Symbol.dispose]();
    this.#recording = undefined;
    return utterance;
  }

  #write(recording: Recording, { frame, atMs, pauseMs, voiced }: TimedFrame): void {
    const pauseFrames = Math.round(Math.min(pauseMs, MAX_PAUSE_MS) / FRAME_MS);
    for (let missing = pauseFrames; missing > 0; missing--) this.#quiet(recording, SILENT_FRAME);
    recording.utterance = undefined;
    if (!voiced) {
      this.#quiet(recording, frame);
      return;
    }
    this.#encode(recording, frame);
    recording.trailingFrames = 0;
    recording.aheadFrames = 0;
    recording.voicedFrames++;
    recording.lastVoicedAtMs = atMs;
  }

  #quiet(recording: Recording, frame: Frame): void {
    if (recording.aheadFrames > 0) {
      recording.aheadFrames--;
      return;
    }
    recording.trailingFrames++;
    this.#encode(recording, frame);
  }

  #encode(recording: Recording, frame: Frame): void {
    recording.chunks.push(recording.encoder.encode(frame));
    recording.frames++;
  }
}
