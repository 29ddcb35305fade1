import type { AssistantMessage, ContentPart, Conversation, Message, UserMessage } from '../model/model.ts';
import type { Past, TurnRecord, UtteranceRecord } from '../store/turn-store.ts';
import { instructions } from './instructions.ts';

/** Discord display names have at most 32 characters. */
const MAX_NAME_LENGTH = 32;

/** Said to a model that has begun to answer in words alone, as models do whose history is all words. */
const ANSWER_ALOUD = '(Answer aloud.)';

/**
 * Turns that are kept and not sent: the provider's filter refused what was said or what was answered, and would refuse
 * every request that holds it.
 */
const NOT_SENT = new Set<string | undefined>(['filtered-prompt', 'filtered-reply']);

/** Turns that are read for a request at most. */
export const MOST_TURNS = 200;

/** Sound of an earlier turn is sent again up to this length, a voice turn's longest: of a long file the words must do. */
const MAX_EARLIER_SPEECH_MS = 120_000;

/**
 * What is sent at most for each token of the budget while the oldest part is not summed up: one and a half times the budget
 * in English, and no more than a model takes in languages that need a token for each character.
 */
const MOST_CHARACTERS_PER_TOKEN = 6;

export interface HistoryRules {
  readonly botName: string;
  readonly tokenBudget: number;
  readonly hasOptedOut: (personId: string) => boolean;
  readonly remindToSpeak: boolean;
}

/**
 * Turns what is kept of a channel, and the turn that is to be answered, into the request's conversation. Only ever grows at
 * its end, except for the last reply and when a summary takes the place of the oldest turns, so that prompt caches hold.
 */
export function conversationOf(
  past: Past,
  utterances: readonly UtteranceRecord[],
  { botName, tokenBudget, hasOptedOut, remindToSpeak }: HistoryRules,
): Conversation {
  const sent = past.turns.filter(isSent);
  const turns = newestSendable(sent, tokenBudget);
  const mayBeHeard = ({ speakerId, speech }: UtteranceRecord): boolean =>
    speech !== undefined && speech.durationMs <= MAX_EARLIER_SPEECH_MS && !hasOptedOut(speakerId);
  // Whatever people said to each other since, and were not answered, leaves it the last one.
  const lastReply = turns.findLastIndex(({ reply }) => reply !== undefined);
  const earlier = turns.flatMap((turn, index) => {
    const isLast = index === turns.length - 1;
    // Where nobody could write down what was said, such as after a crash, its sound says it.
    const isHeard: HearingRule = (said) => (isLast || said.transcript === undefined) && mayBeHeard(said);
    return messagesOf(turn, index === lastReply, isHeard);
  });
  const newest = userMessage(utterances, () => true);
  const messages: Message[] = [
    ...(past.summary ? [summaryMessage(past.summary.text)] : []),
    ...earlier,
    remindToSpeak ? { ...newest, parts: [...newest.parts, text(ANSWER_ALOUD)] } : newest,
  ];
  return { instructions: instructions(botName), messages };
}

/** Whether a turn stands in later requests. */
export function isSent({ failure }: Pick<TurnRecord, 'failure'>): boolean {
  return !NOT_SENT.has(failure);
}

/** The newest turns, without those that would make the request too long for a model. */
export function newestSendable(turns: readonly TurnRecord[], tokenBudget: number): readonly TurnRecord[] {
  return turns.slice(turns.length - newestWithin(turns, tokenBudget * MOST_CHARACTERS_PER_TOKEN));
}

/** How many of the newest turns have so many characters as words: one at least, where there is one. */
export function newestWithin(turns: readonly TurnRecord[], characters: number): number {
  let left = characters;
  for (const [index, turn] of turns.toReversed().entries()) {
    left -= transcriptOf(undefined, [turn]).length;
    if (left < 0) return Math.max(1, index);
  }
  return turns.length;
}

/** Everything in the history as words, for a request that is to sum it up. */
export function transcriptOf(summary: string | undefined, turns: readonly TurnRecord[]): string {
  const lines = turns
    .filter(isSent)
    .flatMap(({ utterances, reply }) => [
      ...utterances.map((utterance) => `${speakerLabel(utterance.speakerName)}: ${wordsOf(utterance)}`),
      reply ? `You: ${reply.text}` : '',
    ]);
  return [summary ?? '', ...lines].filter((line) => line !== '').join('\n');
}

type HearingRule = (utterance: UtteranceRecord) => boolean;

function messagesOf(turn: TurnRecord, isLastReply: boolean, mayBeHeard: HearingRule): Message[] {
  // Everything that was said in it has been forgotten.
  if (turn.utterances.length === 0) return [];
  const user = userMessage(turn.utterances, mayBeHeard);
  if (!turn.reply) return [user];
  const assistant: AssistantMessage = {
    role: 'assistant',
    text: turn.reply.text,
    // Older replies go by their words: an id lives for an hour, and one that is in a request must not die with the next.
    audio: isLastReply ? turn.reply.audio : undefined,
  };
  return [user, assistant];
}

/** One message for a turn: each utterance as its speaker's label followed by what they said or wrote, tracks never mixed. */
function userMessage(utterances: readonly UtteranceRecord[], mayBeHeard: HearingRule): UserMessage {
  const several = utterances.length > 1;
  return {
    role: 'user',
    parts: utterances.flatMap((utterance) => partsOf(utterance, several, mayBeHeard(utterance))),
  };
}

function partsOf(utterance: UtteranceRecord, several: boolean, isHeard: boolean): ContentPart[] {
  const name = speakerLabel(utterance.speakerName);
  const { speech } = utterance;
  if (!isHeard || !speech?.data) return [text(`${name}: ${wordsOf(utterance)}`)];
  const at = several ? ` at ${(utterance.offsetMs / 1000).toFixed(1)} s` : '';
  const { format, data, durationMs } = speech;
  return [
    utterance.text ? text(`${name}${at}: ${utterance.text}`) : { type: 'label', text: `${name}${at}:` },
    { type: 'speech', speech: { format, data, durationMs } },
  ];
}

function wordsOf({ text: written, transcript, speech }: UtteranceRecord): string {
  const spoken =
    transcript ?? (speech ? `(spoke for ${Math.round(speech.durationMs / 1000)} s, not written down)` : undefined);
  return [written, spoken].filter((words) => words !== undefined && words !== '').join(' ');
}

function summaryMessage(summary: string): UserMessage {
  return { role: 'user', parts: [text(`What was said before, in short:\n${summary}`)] };
}

function text(words: string): ContentPart {
  return { type: 'text', text: words };
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
  return Array.from(label).slice(0, MAX_NAME_LENGTH).join('') || 'Someone';
}
