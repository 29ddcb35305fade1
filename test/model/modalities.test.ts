import { expect, test } from 'vitest';

import { exchangeOf, MODALITIES, type Exchange } from '../../src/model/modalities.ts';
import type { ContentPart, Conversation, Message, ReplyOptions } from '../../src/model/model.ts';
import { readAloud } from '../../src/model/read-aloud.ts';
import { transcribingConversation } from '../../src/model/transcription.ts';

const SPEECH = { format: 'mp3', data: new Uint8Array([1]), durationMs: 1000 } as const;
const written: ContentPart = { type: 'text', text: 'Alice: hello' };
const label: ContentPart = { type: 'label', text: 'Alice:' };
const spoken: ContentPart = { type: 'speech', speech: SPEECH };

function conversation(parts: readonly ContentPart[], ...before: readonly Message[]): Conversation {
  return { instructions: 'Be brief.', messages: [...before, { role: 'user', parts }] };
}

const EXAMPLES: readonly [Exchange, ReplyOptions['output'], Conversation][] = [
  ['text-to-voice', 'voice', conversation([written])],
  ['text-to-voice', 'voice', readAloud('Once upon a time.')],
  // Words alone are what the API refuses: its sound is asked for and thrown away.
  ['text-to-voice', 'text', conversation([written])],
  ['voice-to-voice', 'voice', conversation([label, spoken])],
  ['voice-to-text', 'text', conversation([spoken])],
  ['voice-to-text', 'text', transcribingConversation(SPEECH, { language: 'en' })],
  ['both-to-voice', 'voice', conversation([written, label, spoken])],
  ['both-to-voice', 'voice', conversation([label, spoken], { role: 'assistant', text: 'Yes.', audio: undefined })],
  ['both-to-text', 'text', conversation([written, spoken, spoken])],
];

test.for(EXAMPLES)('%s (%s wanted)', ([exchange, output, asked]) => {
  expect(exchangeOf(asked, output)).toBe(exchange);
});

test('every exchange has sound in it somewhere, and words out', () => {
  for (const [exchange, modalities] of Object.entries(MODALITIES)) {
    expect(modalities).toContain('text');
    expect(modalities.includes('audio') || !exchange.startsWith('text')).toBe(true);
  }
});
