import type { Conversation, ReplyOptions } from './model.ts';

/**
 * The five requests an audio model takes, by what goes in and what comes out, and what each is for:
 *
 * | exchange       | serves                                                                      |
 * | -------------- | --------------------------------------------------------------------------- |
 * | text-to-voice  | `/say`, `/narrate`, `/ask` in writing; a reply that was written, read aloud |
 * | voice-to-voice | a turn of a call; **Answer aloud** of a message without words               |
 * | voice-to-text  | `/transcribe`, what was said in a call, a file alone                        |
 * | both-to-voice  | a call that has a history; `/ask` with files, answered by voice             |
 * | both-to-text   | `/ask` with files, answered in writing                                      |
 *
 * "Voice" out always comes with its words. Words in and words alone out is what the API refuses ("requires that either
 * input content or output modality contain audio"): who wants that gets text-to-voice, whose sound is thrown away.
 */
export type Exchange = 'text-to-voice' | 'voice-to-voice' | 'voice-to-text' | 'both-to-voice' | 'both-to-text';

/** What is asked for in an exchange, in the API's words. */
export const MODALITIES: Readonly<Record<Exchange, readonly ('text' | 'audio')[]>> = {
  'text-to-voice': ['text', 'audio'],
  'voice-to-voice': ['text', 'audio'],
  'voice-to-text': ['text'],
  'both-to-voice': ['text', 'audio'],
  'both-to-text': ['text'],
};

/** Which of them a conversation is that is to be answered this way. */
export function exchangeOf({ messages }: Conversation, output: ReplyOptions['output']): Exchange {
  const parts = messages.flatMap((message) => (message.role === 'user' ? message.parts : []));
  if (!parts.some(({ type }) => type === 'speech')) return 'text-to-voice';
  const written = messages.some(({ role }) => role === 'assistant') || parts.some(({ type }) => type === 'text');
  if (output === 'voice') return written ? 'both-to-voice' : 'voice-to-voice';
  return written ? 'both-to-text' : 'voice-to-text';
}
