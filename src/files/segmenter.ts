import { FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { concatSamples } from '../audio/pcm.ts';

/** A stretch of sound with speech in it. Times in samples at 24 kHz from the beginning of the sound. */
export interface Segment {
  readonly start: number;
  readonly samples: Int16Array;
  /** First sample that is not quiet, and the one after the last. */
  readonly voicedStart: number;
  readonly voicedEnd: number;
}

export interface SegmentRules {
  /** A pause this long ends a piece that has at least {@link minMs}. */
  readonly pauseMs: number;
  readonly minMs: number;
  /** Without such a pause the piece is cut here at the latest, at its quietest place. */
  readonly maxMs: number;
}

/** Below this (of full scale, RMS) nobody hears anything: -60 dB. */
const SILENCE_LEVEL = 0.001;
/** This far below the loudest of the last half minute is a pause: -26 dB. */
const QUIET_RATIO = 0.05;
/** Half of it is left after 28 s. */
const LOUDEST_DECAY = 0.9995;

/** Kept of the silence before a piece's first sound. */
const LEAD_FRAMES = 300 / FRAME_MS;

/** Where no pause is, the quietest stretch of this length is cut. */
const DIP_FRAMES = 200 / FRAME_MS;

/** Cuts sound into pieces at its pauses, as it comes. Stretches without any sound are in no piece. */
export class Segmenter {
  readonly #rules: SegmentRules;
  #frames: Int16Array[] = [];
  #levels: number[] = [];
  #rest = new Int16Array(0);
  /** Frame number of the first frame held. */
  #first = 0;
  #loudest = 0;
  #quietRun = 0;
  /** Index among the frames held of the first and the last one that is not quiet. */
  #voiced: { first: number; last: number } | undefined;

  constructor(rules: SegmentRules) {
    this.#rules = rules;
  }

  /** Pieces that are complete with these samples. */
  *push(samples: Int16Array): Generator<Segment, void, undefined> {
    const all = this.#rest.length === 0 ? samples : concatSamples([this.#rest, samples]);
    let at = 0;
    for (; at + FRAME_SAMPLES <= all.length; at += FRAME_SAMPLES) {
      this.#hold(all.slice(at, at + FRAME_SAMPLES));
      const length = this.#cutLength();
      if (length > 0) yield this.#cut(length);
    }
    this.#rest = all.slice(at);
  }

  /** The last piece. */
  *flush(): Generator<Segment, void, undefined> {
    if (this.#rest.length > 0) this.#hold(this.#rest);
    this.#rest = new Int16Array(0);
    if (this.#voiced) yield this.#cut(this.#frames.length);
  }

  #hold(frame: Int16Array): void {
    const level = rms(frame);
    this.#loudest = Math.max(level, this.#loudest * LOUDEST_DECAY);
    const quiet = level < Math.max(SILENCE_LEVEL, this.#loudest * QUIET_RATIO);
    this.#quietRun = quiet ? this.#quietRun + 1 : 0;
    this.#frames.push(frame);
    this.#levels.push(level);
    const index = this.#frames.length - 1;
    if (!quiet) this.#voiced = { first: this.#voiced?.first ?? index, last: index };
    // Silence before the first sound is let go: it would only be paid for.
    else if (!this.#voiced && this.#frames.length > 2 * LEAD_FRAMES) this.#drop(this.#frames.length - LEAD_FRAMES);
  }

  /** Frames to be cut off as a piece now, or 0. */
  #cutLength(): number {
    if (!this.#voiced) return 0;
    const length = this.#frames.length;
    const { pauseMs, minMs, maxMs } = this.#rules;
    const pause = pauseMs / FRAME_MS;
    if (this.#quietRun >= pause && length - this.#quietRun >= minMs / FRAME_MS) {
      return length - Math.floor(pause / 2);
    }
    return length >= maxMs / FRAME_MS ? this.#quietest(Math.floor(length / 2)) : 0;
  }

  /** The middle of the quietest stretch from there on. */
  #quietest(from: number): number {
    let best = this.#frames.length;
    let least = Number.POSITIVE_INFINITY;
    let sum = 0;
    for (let i = from; i < this.#levels.length; i++) {
      sum += this.#levels[i]!;
      if (i - DIP_FRAMES >= from) sum -= this.#levels[i - DIP_FRAMES]!;
      if (i - from + 1 < DIP_FRAMES || sum > least) continue;
      least = sum;
      best = i + 1 - Math.floor(DIP_FRAMES / 2);
    }
    return best;
  }

  #cut(length: number): Segment {
    const first = this.#voiced?.first ?? 0;
    const last = Math.min(this.#voiced?.last ?? length - 1, length - 1);
    const start = this.#first * FRAME_SAMPLES;
    const segment = {
      start,
      samples: concatSamples(this.#frames.slice(0, length)),
      voicedStart: start + first * FRAME_SAMPLES,
      voicedEnd: start + (last + 1) * FRAME_SAMPLES,
    };
    this.#drop(length);
    return segment;
  }

  #drop(frames: number): void {
    this.#frames = this.#frames.slice(frames);
    this.#levels = this.#levels.slice(frames);
    this.#first += frames;
    const voiced = this.#voiced;
    this.#voiced =
      voiced && voiced.last >= frames
        ? { first: Math.max(0, voiced.first - frames), last: voiced.last - frames }
        : undefined;
  }
}

/** Level of a frame, 0 to 1. */
function rms(frame: Int16Array): number {
  let sum = 0;
  for (const sample of frame) sum += sample * sample;
  return Math.sqrt(sum / Math.max(1, frame.length)) / 32_768;
}

/** Milliseconds of a place in the sound. */
export function atMs(samples: number): number {
  return (samples * 1000) / SAMPLE_RATE_HZ;
}
