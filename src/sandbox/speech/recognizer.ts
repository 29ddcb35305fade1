import { fingerprint, findAll } from './fingerprint.ts';
import type { Fingerprint } from './fingerprint.ts';

/** Sentences remembered; the oldest is forgotten first. */
const MAX_KNOWN = 300;
/**
 * Below this it is other speech. Measured over 17 sentences in 4 voices: 0.98 and more for the same after Opus, at most
 * 0.83 for others, and 0.91 for sentences that differ in one word, of which the better match wins. Room is left
 * for cut edges and lost packets.
 */
const THRESHOLD = 0.8;
/** In less than 0.8 s many words are alike: they must fit better. */
const SHORT_ROWS = 80;
const SHORT_THRESHOLD = 0.93;

/**
 * Knows sentences again that it was shown before: no speech recognition, just the same sound. It stands a codec, another
 * loudness and cut edges, and finds several sentences in one recording.
 */
export class Recognizer {
  readonly #known = new Map<string, { text: string; print: Fingerprint }>();

  /** Remembers how a sentence sounds. The same `key` again replaces it. */
  learn(key: string, text: string, samples: Int16Array): void {
    this.#known.delete(key);
    this.#known.set(key, { text, print: fingerprint(samples) });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }

  /** The sentences found in 24 kHz mono sound, in the order they are spoken; `undefined` when there is none. */
  recognize(samples: Int16Array): string | undefined {
    const heard = fingerprint(samples);
    const found = [...this.#known.values()]
      .flatMap(({ text, print }) => {
        const threshold = print.rows < SHORT_ROWS ? SHORT_THRESHOLD : THRESHOLD;
        return findAll(print, heard, threshold).map(({ row, score }) => ({ text, score, row, end: row + print.rows }));
      })
      .toSorted((a, b) => b.score * (b.end - b.row) - a.score * (a.end - a.row));

    const chosen: typeof found = [];
    for (const match of found) {
      const overlap = (other: (typeof found)[number]): number =>
        Math.min(match.end, other.end) - Math.max(match.row, other.row);
      if (chosen.every((other) => overlap(other) < (match.end - match.row) / 5)) chosen.push(match);
    }
    if (chosen.length === 0) return undefined;
    return chosen
      .toSorted((a, b) => a.row - b.row)
      .map(({ text }) => text)
      .join(' ');
  }
}
