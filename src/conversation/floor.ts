import { isLong, type Turn, type Utterance } from './turn.ts';

/** Shorter than a word: a click, a cough or a breath. Dropped, so that it costs no request. */
const MIN_VOICED_MS = 200;

/**
 * What the people in the room say until it falls silent. Gathers everyone's utterances into one turn, which is over when
 * nobody is in speech any more: a second speaker who begins before the first has finished belongs to the same turn, for two
 * minutes at most.
 */
export class Floor {
  readonly #speaking = new Set<string>();
  #utterances: Utterance[] = [];

  /** Someone has begun to speak. */
  started(speakerId: string): void {
    this.#speaking.add(speakerId);
  }

  /** Someone has stopped. Returns the room's turn when they were the last, or when it has gone on for too long. */
  ended(speakerId: string, utterance: Utterance | undefined): Turn | undefined {
    this.#speaking.delete(speakerId);
    if (utterance) this.#utterances.push(utterance);
    return this.#close();
  }

  /** Someone does not want to be heard: what they said is dropped. Returns the turn of the others when it is over. */
  withdraw(speakerId: string): Turn | undefined {
    this.#speaking.delete(speakerId);
    this.#utterances = this.#utterances.filter(({ speaker }) => speaker.id !== speakerId);
    return this.#close();
  }

  /** The room's turn as it would be if those who are in speech had finished with these utterances. */
  preview(unfinished: readonly Utterance[]): Turn | undefined {
    return turnOf([...this.#utterances, ...unfinished]);
  }

  /** A turn that was to be answered goes on: what was said so far opens the next turn. */
  resume(turn: Turn): void {
    this.#utterances.unshift(...turn.utterances);
  }

  #close(): Turn | undefined {
    if (this.#speaking.size > 0 && !isLong(this.#utterances)) return undefined;
    const turn = turnOf(this.#utterances);
    this.#utterances = [];
    return turn;
  }
}

function turnOf(said: readonly Utterance[]): Turn | undefined {
  const utterances = said
    .filter(({ voicedMs }) => voicedMs >= MIN_VOICED_MS)
    .toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  return utterances.length > 0 ? { utterances } : undefined;
}
