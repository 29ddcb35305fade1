import type { Conversation } from '../model/model.ts';

/** A request to speak a text word for word instead of answering it. */
export function readAloud(text: string): Conversation {
  return {
    instructions: 'Read the text aloud, word for word. Add nothing, leave nothing out, and do not answer it.',
    messages: [{ role: 'user', parts: [{ type: 'text', text }] }],
  };
}
