import { FRAME_MS, FRAME_SAMPLES, type Frame } from '../audio/frame.ts';
import type { Speaker } from './ports.ts';
import type { Utterance } from './turn.ts';

/** Compresses frames to MP3 as they come, so that nothing is left to do when the turn ends. */
export interface SpeechEncoder {
  encode(frame: Frame): Uint8Array;
  /** The last bytes. The encoder cannot be used afterwards. */
  finish(): Uint8Array;
}

/** Sound before the detector is sure of speech, so that the first consonant is not lost. */
const PRE_ROLL_FRAMES = 15;
/** A pause at least this long parts what is spoken from what was there before. */
const PAUSE_FROM_MS = 100;
/** Pauses are kept at their length, since they carry meaning, up to this. */
const MAX_PAUSE_MS = 3000;

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
    };
    for (const [index, timed] of frames.entries()) {
      this.#write(this.#recording, index === 0 ? { ...timed, pauseMs: 0 } : timed);
    }
  }

  /** Ends the utterance; `undefined` when none was begun. */
  end(): Utterance | undefined {
    const recording = this.#recording;
    if (!recording) return undefined;
    this.#recording = undefined;
    recording.chunks.push(recording.encoder.finish());
    return {
      speaker: this.#speaker,
      startedAtMs: recording.startedAtMs,
      lastVoicedAtMs: recording.lastVoicedAtMs,
      voicedMs: recording.voicedFrames * FRAME_MS,
      speech: { format: 'mp3', data: Buffer.concat(recording.chunks), durationMs: recording.frames * FRAME_MS },
    };
  }

  #write(recording: Recording, { frame, atMs, pauseMs, voiced }: TimedFrame): void {
    const missing = Math.round(Math.min(pauseMs, MAX_PAUSE_MS) / FRAME_MS);
    for (let i = 0; i < missing; i++) this.#encode(recording, SILENT_FRAME);
    this.#encode(recording, frame);
    if (!voiced) return;
    recording.voicedFrames++;
    recording.lastVoicedAtMs = atMs;
  }

  #encode(recording: Recording, frame: Frame): void {
    recording.chunks.push(recording.encoder.encode(frame));
    recording.frames++;
  }
}
