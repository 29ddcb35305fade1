import { fft } from '../../audio/fft.ts';
import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';

/** One vector for each 10 ms: two sounds that begin between two vectors are at most 5 ms apart. */
const HOP_SAMPLES = SAMPLE_RATE_HZ / 100;
const WINDOW_SAMPLES = 512;
const BANDS = 14;
const LOWEST_HZ = 150;
const HIGHEST_HZ = 5_000;
/** Whatever is further below the loudest band than this is silence: room for what codecs and comfort noise leave there. */
const RANGE_DB = 45;
/** Loudest level below which nothing is speech: a tone of a four-hundredth of full scale comes to this. */
const FAINTEST_DB = 80;

/** What a sound looks like: level in decibels of {@link BANDS} bands every 10 ms, one row after the other. */
export interface Fingerprint {
  readonly rows: number;
  readonly levels: Float32Array;
}

const WINDOW = Float64Array.from(
  { length: WINDOW_SAMPLES },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW_SAMPLES),
);

/** First transform bin of each band, and the end of the last; bands are equally wide on a logarithmic scale. */
const EDGES = Array.from({ length: BANDS + 1 }, (_, band) =>
  Math.round((LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** (band / BANDS) * WINDOW_SAMPLES) / SAMPLE_RATE_HZ),
);

/** The fingerprint of 24 kHz mono sound. Takes about 2 ms for each second. */
export function fingerprint(samples: Int16Array): Fingerprint {
  const rows = Math.max(0, Math.floor((samples.length - WINDOW_SAMPLES) / HOP_SAMPLES) + 1);
  const levels = new Float32Array(rows * BANDS);
  const real = new Float64Array(WINDOW_SAMPLES);
  const imaginary = new Float64Array(WINDOW_SAMPLES);
  let loudest = FAINTEST_DB;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < WINDOW_SAMPLES; i++) real[i] = (samples[row * HOP_SAMPLES + i] ?? 0) * WINDOW[i]!;
    imaginary.fill(0);
    fft(real, imaginary);
    for (let band = 0; band < BANDS; band++) {
      const first = EDGES[band]!;
      const end = Math.max(first + 1, EDGES[band + 1]!);
      let power = 1;
      for (let k = first; k < end; k++) power += real[k]! ** 2 + imaginary[k]! ** 2;
      const level = 10 * Math.log10(power / (end - first));
      levels[row * BANDS + band] = level;
      if (level > loudest) loudest = level;
    }
  }
  for (let i = 0; i < levels.length; i++) levels[i] = Math.max(0, levels[i]! - loudest + RANGE_DB);
  return { rows, levels };
}

/** Where one sound was found inside another. */
export interface Match {
  /** Row of the searched sound at which it begins; negative when its beginning is missing there. */
  readonly row: number;
  /** Correlation of the levels, each band's mean taken out: the same sound after a codec comes to 0.98. */
  readonly score: number;
}

/** How many rows of `known` may be missing at either end of `heard`: voice activity detection trims. */
const OVERHANG_ROWS = 30;
/** The coarse search joins so many rows into one. */
const COARSE_ROWS = 6;
const COARSE_SCORE = 0.5;

/** Finds each place in `heard` where `known` lies with at least `threshold`, best first. Loudness does not matter. */
export function findAll(known: Fingerprint, heard: Fingerprint, threshold: number): Match[] {
  const padded = pad(heard, OVERHANG_ROWS);
  if (known.rows < 2 * COARSE_ROWS || known.rows > padded.rows) return [];
  const fine = { known: centred(known), heard: padded, sums: prefixSums(padded) };
  const coarseHeard = thin(padded);
  const coarse = { known: centred(thin(known)), heard: coarseHeard, sums: prefixSums(coarseHeard) };

  const matches: Match[] = [];
  const last = coarse.heard.rows - coarse.known.rows;
  const scores = Array.from({ length: last + 1 }, (_, row) => correlationAt(coarse, row));
  for (const [row, score] of scores.entries()) {
    if (score < COARSE_SCORE || score < (scores[row - 1] ?? -1) || score < (scores[row + 1] ?? -1)) continue;
    let best: Match | undefined;
    const centre = row * COARSE_ROWS;
    for (let near = centre - COARSE_ROWS; near <= centre + COARSE_ROWS; near++) {
      if (near < 0 || near + known.rows > padded.rows) continue;
      const exact = correlationAt(fine, near);
      if (best === undefined || exact > best.score) best = { row: near - OVERHANG_ROWS, score: exact };
    }
    if (best !== undefined && best.score >= threshold) matches.push(best);
  }
  return matches.toSorted((a, b) => b.score - a.score);
}

interface Search {
  readonly known: Fingerprint;
  readonly heard: Fingerprint;
  readonly sums: { readonly of: Float64Array; readonly squares: Float64Array };
}

function correlationAt({ known, heard, sums }: Search, row: number): number {
  const start = row * BANDS;
  let product = 0;
  let knownEnergy = 0;
  for (let i = 0; i < known.levels.length; i++) {
    const level = known.levels[i]!;
    product += level * heard.levels[start + i]!;
    knownEnergy += level * level;
  }
  let heardEnergy = 0;
  const end = start + known.levels.length;
  for (let band = 0; band < BANDS; band++) {
    const sum = sums.of[end + band]! - sums.of[start + band]!;
    heardEnergy += sums.squares[end + band]! - sums.squares[start + band]! - (sum * sum) / known.rows;
  }
  return knownEnergy > 0 && heardEnergy > 0 ? product / Math.sqrt(knownEnergy * heardEnergy) : 0;
}

/** Takes each band's mean out: what remains is how the sound moves, not what colour it has. */
function centred({ rows, levels }: Fingerprint): Fingerprint {
  const result = Float32Array.from(levels);
  for (let band = 0; band < BANDS; band++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += levels[row * BANDS + band]!;
    for (let row = 0; row < rows; row++) result[row * BANDS + band] = levels[row * BANDS + band]! - sum / rows;
  }
  return { rows, levels: result };
}

/** Sums of each band over all rows before a row, and of the squares: the energy of any stretch in one step. */
function prefixSums({ levels }: Fingerprint): Search['sums'] {
  const of = new Float64Array(levels.length + BANDS);
  const squares = new Float64Array(levels.length + BANDS);
  for (let i = 0; i < levels.length; i++) {
    of[i + BANDS] = of[i]! + levels[i]!;
    squares[i + BANDS] = squares[i]! + levels[i]! ** 2;
  }
  return { of, squares };
}

function thin({ rows, levels }: Fingerprint): Fingerprint {
  const fewer = Math.floor(rows / COARSE_ROWS);
  const result = new Float32Array(fewer * BANDS);
  for (let i = 0; i < fewer * COARSE_ROWS * BANDS; i++) {
    const row = Math.floor(i / (COARSE_ROWS * BANDS));
    const at = row * BANDS + (i % BANDS);
    result[at] = result[at]! + levels[i]! / COARSE_ROWS;
  }
  return { rows: fewer, levels: result };
}

function pad({ rows, levels }: Fingerprint, by: number): Fingerprint {
  const result = new Float32Array((rows + 2 * by) * BANDS);
  result.set(levels, by * BANDS);
  return { rows: rows + 2 * by, levels: result };
}
