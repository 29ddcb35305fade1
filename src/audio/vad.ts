import loadFvad, { type FvadModule } from '@echogarden/fvad-wasm';
import { FRAME_MS, FRAME_SAMPLES, type Frame } from './frame.ts';
import { levelDbfs } from './level.ts';

/** The detector's band ends below 4 kHz at any rate, and at 8 kHz it costs a sixth of what it does at 48 kHz. */
const DETECTOR_RATE_HZ = 8_000;
const DECIMATION = 3;
const DETECTOR_SAMPLES = FRAME_SAMPLES / DECIMATION;

/** libfvad's strictest mode: fewest false alarms. Its own hang-over is then shortest, too. */
const MODE = 3;

/** Quieter frames are never speech: room noise of a good microphone stays below, quiet speech above. */
const FLOOR_DBFS = -50;
/** Speech must stand out of the steady noise by this much. */
const ABOVE_NOISE_DB = 6;
/** The noise level is the quietest frame of the last four half seconds: speech always leaves gaps in two seconds. */
const NOISE_BLOCKS = 4;
const NOISE_BLOCK_FRAMES = 500 / FRAME_MS;

/** Keeps 0 to 3 kHz, 40 dB down from 4.7 kHz: 32 taps of a windowed sinc. */
const DECIMATOR = lowPass(32, 3_500 / 12_000);

/**
 * Says of each frame of one speaker whether it is speech: libfvad (the voice activity detector of WebRTC) behind an
 * energy gate. About 8 microseconds a frame. Music and steady tones pass for speech; digital silence and steady noise
 * do not. Frames must come in order, but pauses between them do no harm.
 */
export class VoiceActivityDetector implements Disposable {
  readonly #fvad: FvadModule;
  readonly #handle: number;
  readonly #buffer: number;
  readonly #noise = new NoiseLevel();
  /** The end of the frame before, then this frame: what the decimator's window slides over. */
  readonly #window = new Float32Array(DECIMATOR.length + FRAME_SAMPLES);
  #disposed = false;

  private constructor(fvad: FvadModule) {
    this.#fvad = fvad;
    this.#handle = fvad._fvad_new();
    this.#buffer = fvad._malloc(DETECTOR_SAMPLES * 2);
    if (this.#handle === 0 || this.#buffer === 0) throw new RangeError('no memory left for a voice activity detector');
    fvad._fvad_set_sample_rate(this.#handle, DETECTOR_RATE_HZ);
    fvad._fvad_set_mode(this.#handle, MODE);
  }

  /** Loads the detector once (a few milliseconds). The result makes as many as there are speakers. */
  static async load(): Promise<() => VoiceActivityDetector> {
    const fvad = await loadFvad();
    return () => new VoiceActivityDetector(fvad);
  }

  /** @throws {RangeError} when the frame has a wrong length. */
  isVoiced(frame: Frame): boolean {
    if (frame.length !== FRAME_SAMPLES) throw new RangeError(`a frame of ${frame.length} samples`);
    if (this.#disposed) return false;
    const level = levelDbfs(frame);
    this.#noise.push(level);
    this.#decimate(frame);
    // Asked for quiet frames, too: it adapts to the noise.
    const speech = this.#fvad._fvad_process(this.#handle, this.#buffer, DETECTOR_SAMPLES) === 1;
    return speech && level > this.#gateDbfs();
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#fvad._fvad_free(this.#handle);
    this.#fvad._free(this.#buffer);
  }

  #gateDbfs(): number {
    return Math.max(FLOOR_DBFS, this.#noise.dbfs + ABOVE_NOISE_DB);
  }

  #decimate(frame: Frame): void {
    const taps = DECIMATOR.length;
    const window = this.#window;
    window.copyWithin(0, FRAME_SAMPLES);
    for (let i = 0; i < FRAME_SAMPLES; i++) window[taps + i] = frame[i]!;
    // Looked up each time: the module's views are new ones after its memory has grown.
    const heap = this.#fvad.HEAP16;
    const start = this.#buffer / 2;
    for (let i = 0; i < DETECTOR_SAMPLES; i++) {
      const at = i * DECIMATION + DECIMATION;
      let a = 0;
      let b = 0;
      // The filter is symmetric: each coefficient serves two samples.
      for (let k = 0; k < taps / 2; k += 2) {
        a += DECIMATOR[k]! * (window[at + k]! + window[at + taps - 1 - k]!);
        b += DECIMATOR[k + 1]! * (window[at + k + 1]! + window[at + taps - 2 - k]!);
      }
      const sample = a + b;
      heap[start + i] = sample > 32_767 ? 32_767 : sample < -32_768 ? -32_768 : sample;
    }
  }
}

/** The level of the steady noise under one speaker's track. */
class NoiseLevel {
  readonly #blocks: number[] = [];
  #quietest = Infinity;
  #frames = 0;

  /** Minus infinity until there has been enough sound to tell. */
  dbfs = -Infinity;

  push(levelDbfs: number): void {
    this.#quietest = Math.min(this.#quietest, levelDbfs);
    this.dbfs = Math.min(this.dbfs, levelDbfs);
    if (++this.#frames < NOISE_BLOCK_FRAMES) return;
    this.#blocks.push(this.#quietest);
    if (this.#blocks.length > NOISE_BLOCKS) this.#blocks.shift();
    this.dbfs = this.#blocks.length === NOISE_BLOCKS ? Math.min(...this.#blocks) : -Infinity;
    this.#quietest = Infinity;
    this.#frames = 0;
  }
}

/** Blackman-windowed sinc; `cutoff` relative to half the input rate. */
function lowPass(taps: number, cutoff: number): Float32Array {
  const row = new Float32Array(taps);
  for (let k = 0; k < taps; k++) {
    const t = k - (taps - 1) / 2;
    const x = Math.PI * cutoff * t;
    const turn = (2 * Math.PI * (k + 0.5)) / taps;
    row[k] = (Math.sin(x) / x) * (0.42 - 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn));
  }
  const sum = row.reduce((total, value) => total + value, 0);
  return row.map((value) => value / sum);
}
