import type { ConversationStore, StoredTurn } from './store.ts';

/** Turns kept for each conversation. */
const MAX_TURNS = 200;
/** Conversations kept; the one that was quiet longest goes first. */
const MAX_CONVERSATIONS = 1000;
/** Sound is large and only the newest turns are ever sent as sound, so older turns lose theirs. */
const TURNS_WITH_SPEECH = 10;

/** Keeps conversations while the process runs. Bounded in turns, in conversations and in sound. */
export class MemoryStore implements ConversationStore {
  readonly #conversations = new Map<string, StoredTurn[]>();

  append(conversationId: string, turn: StoredTurn): Promise<void> {
    const turns = this.#conversations.get(conversationId) ?? [];
    turns.push(turn);
    if (turns.length > MAX_TURNS) turns.shift();
    const fading = turns.length - 1 - TURNS_WITH_SPEECH;
    const faded = turns[fading];
    if (faded) turns[fading] = withoutSpeech(faded);

    // Setting it anew moves it to the end of the map's order: the first key is the one that was quiet longest.
    this.#conversations.delete(conversationId);
    this.#conversations.set(conversationId, turns);
    const [quietest] = this.#conversations.keys();
    if (this.#conversations.size > MAX_CONVERSATIONS && quietest !== undefined) this.#conversations.delete(quietest);
    return Promise.resolve();
  }

  recent(conversationId: string, limit: number): Promise<readonly StoredTurn[]> {
    return Promise.resolve((this.#conversations.get(conversationId) ?? []).slice(-limit));
  }
}

function withoutSpeech(turn: StoredTurn): StoredTurn {
  return { ...turn, utterances: turn.utterances.map((utterance) => ({ ...utterance, speech: undefined })) };
}
