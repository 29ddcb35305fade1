import type { Turn, Utterance } from './turn.ts';

/** Shorter than a word: a click, a cough or a breath. Dropped, so that it costs no request. */
const MIN_VOICED_MS = 200;

/**
 * Whose turn it is. Gathers the utterances of everyone in the room into one turn, which is over when nobody is in speech
 * any more: a second speaker who begins before the first has finished belongs to the same turn.
 */
export class Floor {
  readonly #speaking = new Set<string>();
  #utterances: Utterance[] = [];

  /** Someone has begun to speak. */
  started(speakerId: string): void {
    this.#speaking.add(speakerId);
  }

  /** Someone has stopped. Returns the room's turn when they were the last. */
  ended(speakerId: string, utterance: Utterance | undefined): Turn | undefined {
    this.#speaking.delete(speakerId);
    if (utterance && utterance.voicedMs >= MIN_VOICED_MS) this.#utterances.push(utterance);
    return this.#close();
  }

  /** Someone does not want to be heard: what they said is dropped. Returns the turn of the others when it is over. */
  withdraw(speakerId: string): Turn | undefined {
    this.#speaking.delete(speakerId);
    this.#utterances = this.#utterances.filter(({ speaker }) => speaker.id !== speakerId);
    return this.#close();
  }

  #close(): Turn | undefined {
    if (this.#speaking.size > 0 || this.#utterances.length === 0) return undefined;
    const utterances = this.#utterances.toSorted((a, b) => a.startedAtMs - b.startedAtMs);
    this.#utterances = [];
    return { utterances };
  }

  /** A turn that was to be answered goes on: what was said so far opens the next turn. */
  resume(turn: Turn): void {
    this.#utterances.unshift(...turn.utterances);
  }
}
