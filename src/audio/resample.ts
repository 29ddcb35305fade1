/**
 * A Kaiser-windowed sinc of 24 zero crossings: aliases at least 95 dB down, passband flat to 0.4 of the output rate
 * (measured with sines). Half the cost of twice the length, which nobody would hear on speech.
 */
const ZERO_CROSSINGS = 24;
const KAISER_BETA = 9;
const ROLL_OFF = 0.92;

/**
 * Most filter phases that are built. Rates without a common divisor (44,101 Hz) would need one for each output sample
 * of a second; the nearest fraction with this many drifts less than a sample an hour.
 */
const MAX_PHASES = 2048;

/** Changes the rate of a whole sound. Aligned with the input; `ceil(length * toHz / fromHz)` samples. */
export function resample(input: Float32Array, fromHz: number, toHz: number): Float32Array {
  if (fromHz === toHz) return input;
  const resampler = new Resampler(fromHz, toHz);
  const result = new Float32Array(Math.ceil((input.length * toHz) / fromHz));
  const head = resampler.push(input);
  result.set(head.subarray(0, result.length));
  result.set(resampler.flush().subarray(0, result.length - head.length), head.length);
  return result;
}

/**
 * Changes the rate of one sound that arrives in pieces. Polyphase FIR: rates are reduced to L over M, and each of the L
 * phases of the filter is kept ready. The filter's delay is taken out: the first output sample lies on the first input
 * sample, and {@link flush} brings the end.
 */
export class Resampler {
  readonly #fromHz: number;
  readonly #toHz: number;
  readonly #phases: number;
  readonly #step: number;
  readonly #taps: number;
  readonly #filter: Float32Array;
  /** Input that is still needed, oldest first. */
  #pending: Float32Array;
  #phase = 0;
  #inputSamples = 0;
  #outputSamples = 0;

  constructor(fromHz: number, toHz: number) {
    if (!(fromHz > 0 && toHz > 0)) throw new RangeError(`cannot resample from ${fromHz} Hz to ${toHz} Hz`);
    this.#fromHz = fromHz;
    this.#toHz = toHz;
    [this.#phases, this.#step] = nearestFraction(toHz, fromHz, MAX_PHASES);
    const ratio = Math.min(1, toHz / fromHz);
    const half = Math.ceil(ZERO_CROSSINGS / ratio);
    this.#taps = 2 * half;
    this.#filter = buildFilter(this.#phases, half, ratio * ROLL_OFF);
    this.#pending = new Float32Array(half - 1);
  }

  /** What can be said so far: some samples behind the input. */
  push(input: Float32Array): Float32Array {
    this.#inputSamples += input.length;
    return this.#run(input);
  }

  /** The rest: all pieces together have `ceil(inputs * toHz / fromHz)` samples. The resampler is used up. */
  flush(): Float32Array {
    const missing = Math.ceil((this.#inputSamples * this.#toHz) / this.#fromHz) - this.#outputSamples;
    return this.#run(new Float32Array(this.#taps)).subarray(0, Math.max(0, missing));
  }

  #run(input: Float32Array): Float32Array {
    const phases = this.#phases;
    const taps = this.#taps;
    const filter = this.#filter;
    const buffer = new Float32Array(this.#pending.length + input.length);
    buffer.set(this.#pending);
    buffer.set(input, this.#pending.length);

    const whole = Math.floor(this.#step / phases);
    const rest = this.#step % phases;
    const output = new Float32Array(Math.max(0, Math.ceil(((buffer.length + 1) * phases) / this.#step) + 1));
    let written = 0;
    let start = 0;
    let phase = this.#phase;
    while (start + taps <= buffer.length) {
      const at = phase * taps;
      // Four sums, because one would make each addition wait for the one before.
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      let k = 0;
      for (; k + 3 < taps; k += 4) {
        a += filter[at + k]! * buffer[start + k]!;
        b += filter[at + k + 1]! * buffer[start + k + 1]!;
        c += filter[at + k + 2]! * buffer[start + k + 2]!;
        d += filter[at + k + 3]! * buffer[start + k + 3]!;
      }
      for (; k < taps; k++) a += filter[at + k]! * buffer[start + k]!;
      output[written++] = a + b + c + d;
      phase += rest;
      start += whole;
      if (phase >= phases) {
        phase -= phases;
        start++;
      }
    }
    this.#phase = phase;
    this.#pending = buffer.slice(start);
    this.#outputSamples += written;
    return output.subarray(0, written);
  }
}

/** One row of `2 * half` taps a phase, each row with sum 1, so that a constant stays exactly constant. */
function buildFilter(phases: number, half: number, cutoff: number): Float32Array {
  const taps = 2 * half;
  const filter = new Float32Array(phases * taps);
  const row = new Float64Array(taps);
  const scale = bessel0(KAISER_BETA);
  for (let phase = 0; phase < phases; phase++) {
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const t = k - half + 1 - phase / phases;
      const edge = t / half;
      const window = edge <= -1 || edge >= 1 ? 0 : bessel0(KAISER_BETA * Math.sqrt(1 - edge * edge)) / scale;
      const x = Math.PI * cutoff * t;
      const value = (x === 0 ? 1 : Math.sin(x) / x) * window;
      row[k] = value;
      sum += value;
    }
    for (let k = 0; k < taps; k++) filter[phase * taps + k] = row[k]! / sum;
  }
  return filter;
}

/** Modified Bessel function of the first kind, order 0, by its series. */
function bessel0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

/** `numerator / denominator` in lowest terms or, where its numerator is over `limit`, the nearest fraction under it. */
function nearestFraction(numerator: number, denominator: number, limit: number): [number, number] {
  // Convergents of the continued fraction: each is the nearest for its size.
  let [n, d] = [numerator, denominator];
  let [previousN, currentN] = [0, 1];
  let [previousD, currentD] = [1, 0];
  while (d !== 0) {
    const digit = Math.floor(n / d);
    const nextN = digit * currentN + previousN;
    if (nextN > limit) break;
    [previousN, currentN] = [currentN, nextN];
    [previousD, currentD] = [currentD, digit * currentD + previousD];
    [n, d] = [d, n - digit * d];
  }
  return [currentN, currentD];
}
