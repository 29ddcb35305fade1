import { ModelError } from '../model/errors.ts';
import type { Model, Speech } from '../model/model.ts';
import type { IncomingTurn, TurnStore, UtteranceRecord } from '../store/turn-store.ts';
import type { Log } from '../telemetry/log.ts';

export interface TranscriberParts {
  readonly store: TurnStore;
  readonly model: Model;
  /** Sound of somebody who does not want to be heard any more goes nowhere. */
  readonly hasOptedOut: (personId: string) => boolean;
  readonly log: Log;
}

/** Has what was said in turns written down, for when their sound is no longer kept. */
export class Transcriber {
  readonly #parts: TranscriberParts;
  readonly #busy = new Set<string>();
  /** What was made of sound that is still around, so that nothing is written down twice. */
  readonly #words = new WeakMap<Uint8Array, Promise<string>>();

  constructor(parts: TranscriberParts) {
    this.#parts = parts;
  }

  /** Writes down what of a turn is not. A model that cannot leaves a gap, and is asked again for as long as sound is kept. */
  async writeDown({ id, utterances }: Pick<IncomingTurn, 'id' | 'utterances'>, signal: AbortSignal): Promise<void> {
    if (this.#busy.has(id)) return;
    this.#busy.add(id);
    try {
      for (const [ordinal, utterance] of utterances.entries()) {
        const transcript = await this.#transcriptOf(utterance, signal);
        if (transcript !== '') await this.#parts.store.turns.addTranscript(id, ordinal, transcript);
      }
    } finally {
      this.#busy.delete(id);
    }
  }

  /**
   * The words of some speech; of the same bytes they are made once.
   * @throws {ModelError}
   */
  wordsOf({ format, data, durationMs }: Speech, signal: AbortSignal): Promise<string> {
    const known = this.#words.get(data);
    if (known) return known;
    const words = this.#transcribe({ format, data, durationMs }, signal);
    this.#words.set(data, words);
    words.catch(() => this.#words.delete(data));
    return words;
  }

  async #transcribe(speech: Speech, signal: AbortSignal): Promise<string> {
    for await (const event of this.#parts.model.transcribe(speech, { language: undefined }, signal)) {
      if (event.type === 'done') return event.text;
    }
    return '';
  }

  async #transcriptOf(utterance: UtteranceRecord, signal: AbortSignal): Promise<string> {
    const { hasOptedOut, log } = this.#parts;
    if (!isUnwritten(utterance) || hasOptedOut(utterance.speakerId)) return '';
    try {
      return await this.wordsOf(utterance.speech, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof ModelError)) throw error;
      log.warn({ err: error }, 'speech not written down');
      return '';
    }
  }
}

type Unwritten = UtteranceRecord & { readonly speech: Speech };

/** Its sound is kept and its words are not. */
export function isUnwritten(utterance: UtteranceRecord): utterance is Unwritten {
  return utterance.transcript === undefined && utterance.speech?.data !== undefined;
}
