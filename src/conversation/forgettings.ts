import type { Ending, IncomingTurn } from '../store/turn-store.ts';

/** What is to be forgotten of everything said until now: `sound` is that of a person, wherever it is. */
export type Forgetting =
  | { readonly what: 'conversation'; readonly id: string }
  | { readonly what: 'guild'; readonly id: string }
  | { readonly what: 'person'; readonly id: string; readonly guildId: string }
  | { readonly what: 'sound'; readonly id: string };

/** A turn with its end, as both may be kept. */
export interface EndedTurn {
  readonly turn: IncomingTurn;
  readonly ending: Ending;
}

/** Longer than a turn takes from its first word until it is kept, or until nobody tries any more. */
const LIFE_MS = 60 * 60 * 1000;
/** The oldest goes when there are more: by then what was said before it has been kept or given up. */
const MAX_NOTES = 10_000;

interface Note {
  readonly forgetting: Forgetting;
  readonly atMs: number;
}

/**
 * What was forgotten a short while ago, so that nothing that was said before is kept afterwards: a turn may wait for its
 * words, for its answer's end, or for a store that is away. Times are wall-clock, milliseconds since the epoch.
 */
export class Forgettings {
  /** Oldest first. */
  readonly #notes = new Map<string, Note>();

  note(forgetting: Forgetting, atMs: number): void {
    const key = JSON.stringify(forgetting);
    this.#notes.delete(key);
    this.#notes.set(key, { forgetting, atMs });
    for (const [oldest, note] of this.#notes) {
      if (note.atMs >= atMs - LIFE_MS && this.#notes.size <= MAX_NOTES) break;
      this.#notes.delete(oldest);
    }
  }

  /** Whether anything of a turn has been forgotten since it was said. */
  concern(turn: IncomingTurn): boolean {
    return this.#since(turn.atMs).some((forgetting) => isAbout(forgetting, turn));
  }

  /** What may be kept of a turn by what has been forgotten since it was said; `undefined`: nothing. */
  remainder({ turn, ending }: EndedTurn): EndedTurn | undefined {
    return this.#since(turn.atMs)
      .filter((forgetting) => isAbout(forgetting, turn))
      .reduce<EndedTurn | undefined>((left, forgetting) => left && without(forgetting, left), { turn, ending });
  }

  #since(saidAtMs: number): Forgetting[] {
    return [...this.#notes.values()].filter(({ atMs }) => saidAtMs <= atMs).map(({ forgetting }) => forgetting);
  }
}

function isAbout(forgetting: Forgetting, { conversationId, guildId, utterances }: IncomingTurn): boolean {
  switch (forgetting.what) {
    case 'conversation':
      return forgetting.id === conversationId;
    case 'guild':
      return forgetting.id === guildId;
    case 'person':
      return forgetting.guildId === guildId && utterances.some(({ speakerId }) => speakerId === forgetting.id);
    case 'sound':
      return utterances.some(({ speakerId }) => speakerId === forgetting.id);
  }
}

function without(forgetting: Forgetting, { turn, ending }: EndedTurn): EndedTurn | undefined {
  switch (forgetting.what) {
    case 'conversation':
    case 'guild':
      return undefined;
    case 'person': {
      const utterances = turn.utterances.filter(({ speakerId }) => speakerId !== forgetting.id);
      // As in the store: a reply goes with what it replies to.
      return utterances.length > 0
        ? { turn: { ...turn, utterances }, ending: { ...ending, reply: undefined } }
        : undefined;
    }
    case 'sound':
      return { turn: withoutSound(turn, (personId) => personId === forgetting.id), ending };
  }
}

/** A turn without the sound of some people. */
export function withoutSound(turn: IncomingTurn, isUnwanted: (personId: string) => boolean): IncomingTurn {
  const utterances = turn.utterances.map((utterance) =>
    utterance.speech && isUnwanted(utterance.speakerId)
      ? { ...utterance, speech: { ...utterance.speech, data: undefined } }
      : utterance,
  );
  return { ...turn, utterances };
}
