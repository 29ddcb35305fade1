import { ModelError } from '../model/errors.ts';
import { sleep } from '../time/clock.ts';
import type { CallParts } from './call-parts.ts';
import type { Turn } from './turn.ts';

/** Nobody waits longer to know whether they are answered. */
const WORDS_MS = 5000;

export type UnderstandingParts = Pick<CallParts, 'memory' | 'captions' | 'words' | 'clock' | 'log'>;

/** What was said, where it must be known before anything is done about it. */
export class Understanding {
  readonly #parts: UnderstandingParts;
  readonly #signal: AbortSignal;
  /** The room knows that words cannot be made out just now. */
  #hasTold = false;

  constructor(parts: UnderstandingParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  /** The words of each utterance; `undefined` when they could not be made out, or not in time: the room is told once. */
  async wordsOf({ utterances }: Turn): Promise<readonly string[] | undefined> {
    const { memory, captions, words, log } = this.#parts;
    try {
      const all = Promise.all(utterances.map(({ speech }) => memory.wordsOf(speech, this.#signal)));
      const understood = await this.#inTime(all);
      this.#hasTold = false;
      return understood;
    } catch (error) {
      if (this.#signal.aborted) return undefined;
      const trouble = error instanceof ModelError ? error.kind : 'timeout';
      log.warn({ err: error }, 'words not made out');
      if (!this.#hasTold) captions.notice(words.modelErrors[trouble]);
      this.#hasTold = true;
      return undefined;
    }
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const waiting = new AbortController();
    const late = sleep(this.#parts.clock, WORDS_MS, waiting.signal).then(() => {
      throw new WordsLateError();
    });
    late.catch(() => {});
    try {
      return await Promise.race([work, late]);
    } finally {
      waiting.abort();
    }
  }
}

/** What was said was not written down in time. */
class WordsLateError extends Error {
  override readonly name = 'WordsLateError';
}
