import type { Mp3Encoder } from '../audio/mp3.ts';
import { OpusEncoder } from '../audio/opus.ts';
import { each, inOrder } from '../files/in-order.ts';
import { UserError } from '../language/user-error.ts';
import type { ModelTrouble } from '../language/words.ts';
import { cutFiles, soundFile, type NarrationFormat } from './chapter-file.ts';
import type { Drift } from './drift.ts';
import { encodePackets, joinPackets } from './packets.ts';
import type { Passage } from './passages.ts';
import { withPause } from './pauses.ts';
import type { Reader, Style } from './reader.ts';
import { chapterStarts, type Script } from './script.ts';
import type { Spool } from './spool.ts';

/** One is read while the other is coded. */
const PASSAGES_AT_ONCE = 2;

/** What a provider will not read is left out, and told: the rest of a book does not depend on it. */
const LEFT_OUT = new Set<ModelTrouble>(['filtered-prompt', 'filtered-reply', 'refused']);

export interface NarrationParts {
  readonly script: Script;
  readonly style: Style;
  readonly format: NarrationFormat;
  /** What has been read so far: what is in it already is not read again. */
  readonly spool: Spool;
  readonly reader: Pick<Reader, 'read'>;
  readonly createEncoder: () => Mp3Encoder;
  /** The largest file there may be. */
  readonly maxBytes: number;
  /** Called with each passage before it is given out. */
  readonly keep: (passage: NarratedPassage, sound: Uint8Array) => Promise<void>;
}

export interface NarratedPassage {
  readonly index: number;
  /** Frames of sound, 20 ms each. */
  readonly frames: number;
  /** Where it is not the text; with nothing said, it could not be read at all. */
  readonly drift: Drift | undefined;
}

/** A file of a chapter, or of a part of one that is too long for one file. */
export interface NarratedFile {
  /** From 0. */
  readonly chapter: number;
  readonly title: string | undefined;
  /** From 0, of how many. */
  readonly part: number;
  readonly parts: number;
  readonly data: Uint8Array;
  readonly frames: number;
}

export type NarrationEvent =
  | { readonly type: 'passage'; readonly passage: NarratedPassage }
  | { readonly type: 'file'; readonly file: NarratedFile }
  /** All files of the chapter have been given. */
  | { readonly type: 'chapter'; readonly chapter: number };

/** Reads a script aloud, in order, and gives a file for each chapter. Memory does not grow with the script. */
export class Narration {
  readonly #parts: NarrationParts;
  readonly #starts: readonly number[];

  constructor(parts: NarrationParts) {
    this.#parts = parts;
    this.#starts = chapterStarts(parts.script);
  }

  /**
   * @param given Chapters whose files were given before.
   * @throws {UserError} when it cannot go on; the signal's reason when it aborts. What was yielded is right.
   */
  async *run(given: ReadonlySet<number>, signal: AbortSignal): AsyncGenerator<NarrationEvent, void, undefined> {
    const { spool, script } = this.#parts;
    const isRead = (chapter: number): boolean => (this.#starts[chapter + 1] ?? Infinity) <= spool.count;
    for (const chapter of script.chapters.keys()) {
      if (isRead(chapter) && !given.has(chapter)) yield* this.#files(chapter, this.#starts[chapter + 1] ?? 0);
    }
    yield* this.#readOn(signal);
  }

  /** What is there of a chapter that could not be read to its end. */
  async *unfinished(): AsyncGenerator<NarrationEvent, void, undefined> {
    const { count } = this.#parts.spool;
    const chapter = this.#starts.findLastIndex((start) => start < count);
    if (chapter >= 0 && (this.#starts[chapter + 1] ?? 0) > count) yield* this.#files(chapter, count);
  }

  async *#readOn(signal: AbortSignal): AsyncGenerator<NarrationEvent, void, undefined> {
    const { spool, keep } = this.#parts;
    let encoder = new OpusEncoder('live');
    try {
      for await (const { passage, samples, drift } of this.#readings(signal)) {
        const index = spool.count;
        const packets = await encodePackets(withPause(samples, passage.ends), encoder);
        const sound = joinPackets(samples.length > 0 ? packets : []);
        const narrated = { index, frames: samples.length > 0 ? packets.length : 0, drift };
        await keep(narrated, sound);
        await spool.add(sound, narrated.frames);
        yield { type: 'passage', passage: narrated };
        const chapter = this.#starts.indexOf(index + 1) - 1;
        if (chapter < 0) continue;
        yield* this.#files(chapter, index + 1);
        // Each file begins with a coder that has heard nothing, as its player will.
        encoder[Symbol.dispose]();
        encoder = new OpusEncoder('live');
      }
    } finally {
      encoder[Symbol.dispose]();
    }
  }

  #readings(signal: AbortSignal): AsyncGenerator<Read, void, undefined> {
    const { script, spool, reader, style } = this.#parts;
    const rest = script.chapters.flatMap(({ passages }) => passages).slice(spool.count);
    return inOrder(
      each(rest),
      async (passage, running): Promise<Read> => {
        try {
          const { samples, drift } = await reader.read(passage.text, style, running);
          return { passage, samples, drift };
        } catch (error) {
          const isLeftOut =
            error instanceof UserError && error.problem.type === 'model' && LEFT_OUT.has(error.problem.trouble);
          if (!isLeftOut) throw error;
          return { passage, samples: new Int16Array(), drift: { text: passage.text, said: '' } };
        }
      },
      { atOnce: PASSAGES_AT_ONCE, signal },
    );
  }

  async *#files(chapter: number, end: number): AsyncGenerator<NarrationEvent, void, undefined> {
    const { script, spool, format, maxBytes, createEncoder } = this.#parts;
    let from = this.#starts[chapter] ?? 0;
    const title = script.chapters[chapter]?.title;
    const ends = cutFiles(spool, { from, to: end, format, maxBytes });
    for (const [part, to] of ends.entries()) {
      const tags = { title: title ?? script.title ?? `${chapter + 1}`, album: script.title, track: chapter + 1 };
      const { data, frames } = await soundFile(spool, { from, to, format }, tags, createEncoder);
      from = to;
      if (frames > 0) yield { type: 'file', file: { chapter, title, part, parts: ends.length, data, frames } };
    }
    yield { type: 'chapter', chapter };
  }
}

interface Read {
  readonly passage: Passage;
  readonly samples: Int16Array;
  readonly drift: Drift | undefined;
}
