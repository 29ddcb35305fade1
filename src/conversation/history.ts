import type { AssistantMessage, ContentPart, Conversation, Message, UserMessage } from '../model/model.ts';
import type { ConversationStore, StoredTurn, StoredUtterance } from '../store/store.ts';
import { instructions } from './instructions.ts';

/** Turns that go into a request at most. */
const MAX_TURNS = 40;

/**
 * Sound of earlier turns that goes into a request at most, newest first. The model hears how things were said, and a
 * history of text alone makes it drift to answers without voice; but sound is what a request costs.
 */
const EARLIER_SPEECH_MS = 60_000;

/** Discord display names have at most 32 characters. */
const MAX_NAME_LENGTH = 32;

/** Turns what is kept of a channel into the request for its next reply. */
export class History {
  readonly #store: ConversationStore;
  readonly #botName: string;

  constructor(store: ConversationStore, botName: string) {
    this.#store = store;
    this.#botName = botName;
  }

  /** The conversation of a channel with `utterances` as its newest turn. */
  async conversation(conversationId: string, utterances: readonly StoredUtterance[]): Promise<Conversation> {
    const turns = await this.#store.recent(conversationId, MAX_TURNS);
    let speechLeftMs = EARLIER_SPEECH_MS;
    const earlier: Message[][] = [];
    for (const turn of turns.toReversed()) {
      speechLeftMs -= speechMs(turn);
      earlier.push(messagesOf(turn, speechLeftMs >= 0));
    }
    return {
      instructions: instructions(this.#botName),
      messages: [...earlier.toReversed().flat(), userMessage(utterances, true)],
    };
  }

  record(conversationId: string, turn: StoredTurn): Promise<void> {
    return this.#store.append(conversationId, turn);
  }
}

function messagesOf(turn: StoredTurn, withSpeech: boolean): Message[] {
  const user = userMessage(turn.utterances, withSpeech);
  if (!turn.reply) return [user];
  const assistant: AssistantMessage = { role: 'assistant', text: turn.reply.text, audio: turn.reply.audio };
  return [user, assistant];
}

/** One message for a turn: each utterance as its speaker's label followed by what they said or wrote. */
function userMessage(utterances: readonly StoredUtterance[], withSpeech: boolean): UserMessage {
  return {
    role: 'user',
    parts: utterances.flatMap((utterance) => partsOf(utterance, utterances.length > 1, withSpeech)),
  };
}

function partsOf(utterance: StoredUtterance, several: boolean, withSpeech: boolean): ContentPart[] {
  const name = speakerLabel(utterance.speakerName);
  const at = several && utterance.speech ? ` at ${(utterance.offsetMs / 1000).toFixed(1)} s` : '';
  const { text, speech } = utterance;
  if (speech && withSpeech) {
    const label: ContentPart = { type: 'text', text: text ? `${name}${at}: ${text}` : `${name}${at}:` };
    return [label, { type: 'speech', speech }];
  }
  if (text) return [{ type: 'text', text: `${name}: ${text}` }];
  const seconds = Math.round((speech?.durationMs ?? 0) / 1000);
  return [
    { type: 'text', text: `${name}: (spoke${seconds > 0 ? ` for ${seconds} s` : ''}; the sound is no longer kept)` },
  ];
}

/**
 * A display name as a label. People choose their names freely, so line breaks, colons and control characters go: a name
 * must not be able to look like another speaker's line.
 */
export function speakerLabel(name: string): string {
  const label = name
    .replace(/[\p{C}\p{Zl}\p{Zp}:]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return [...label].slice(0, MAX_NAME_LENGTH).join('') || 'Someone';
}

function speechMs(turn: StoredTurn): number {
  return turn.utterances.reduce((sum, utterance) => sum + (utterance.speech?.durationMs ?? 0), 0);
}
