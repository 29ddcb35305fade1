import type { AssistantMessage, ContentPart, Conversation, Message, UserMessage } from '../model/model.ts';
import type { Past, TurnRecord, UtteranceRecord } from '../store/turn-store.ts';
import { instructions } from './instructions.ts';

/** Discord display names have at most 32 characters. */
const MAX_NAME_LENGTH = 32;

/** Said to a model that has begun to answer in words alone, as models do whose history is all words. */
const ANSWER_ALOUD = '(Answer aloud.)';

/**
 * Turns that are kept and not sent: the provider's filter refused what was said, or the speaker went on and all of it is in
 * the next turn.
 */
const NOT_SENT = new Set<string | undefined>(['filtered-prompt', 'continued']);

/**
 * Turns what is kept of a channel, and the turn that is to be answered, into the request's conversation. Only ever grows at
 * its end, except for the last reply and when a summary takes the place of the oldest turns, so that prompt caches hold.
 */
export function conversationOf(
  past: Past,
  utterances: readonly UtteranceRecord[],
  { botName, remindToSpeak }: { botName: string; remindToSpeak: boolean },
): Conversation {
  const turns = past.turns.filter(({ failure }) => !NOT_SENT.has(failure));
  const earlier = turns.flatMap((turn, index) => messagesOf(turn, index === turns.length - 1));
  const newest = userMessage(utterances);
  const messages: Message[] = [
    ...(past.summary ? [summaryMessage(past.summary.text)] : []),
    ...earlier,
    remindToSpeak ? { ...newest, parts: [...newest.parts, text(ANSWER_ALOUD)] } : newest,
  ];
  return { instructions: instructions(botName), messages };
}

/** Everything in the history as words, for a request that is to sum it up. */
export function transcriptOf(summary: string | undefined, turns: readonly TurnRecord[]): string {
  const lines = turns.flatMap(({ utterances, reply, failure }) =>
    NOT_SENT.has(failure)
      ? []
      : [
          ...utterances.map((utterance) => `${speakerLabel(utterance.speakerName)}: ${wordsOf(utterance)}`),
          reply ? `You: ${reply.text}` : '',
        ],
  );
  return [summary ?? '', ...lines].filter((line) => line !== '').join('\n');
}

function messagesOf(turn: TurnRecord, isLast: boolean): Message[] {
  const user = userMessage(turn.utterances);
  if (!turn.reply) return [user];
  const assistant: AssistantMessage = {
    role: 'assistant',
    text: turn.reply.text,
    // Older replies go by their words: an id lives for an hour, and one that is in a request must not die with the next.
    audio: isLast ? turn.reply.audio : undefined,
  };
  return [user, assistant];
}

/** One message for a turn: each utterance as its speaker's label followed by what they said or wrote, tracks never mixed. */
function userMessage(utterances: readonly UtteranceRecord[]): UserMessage {
  return { role: 'user', parts: utterances.flatMap((utterance) => partsOf(utterance, utterances.length > 1)) };
}

function partsOf(utterance: UtteranceRecord, several: boolean): ContentPart[] {
  const name = speakerLabel(utterance.speakerName);
  const { speech } = utterance;
  if (!speech?.data) return [text(`${name}: ${wordsOf(utterance)}`)];
  const at = several ? ` at ${(utterance.offsetMs / 1000).toFixed(1)} s` : '';
  const { format, data, durationMs } = speech;
  return [
    text(utterance.text ? `${name}${at}: ${utterance.text}` : `${name}${at}:`),
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
