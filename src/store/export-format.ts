import { z } from 'zod';

import { StoreError } from './store-error.ts';
import type { ExportRecord } from './turn-store.ts';

/** An export is text: one JSON object a line, sound in base64, everything readable. */

const FORMAT = 1;

/** The first line of a whole store's export, and its last: without it the export is not whole. */
export type Frame =
  | { readonly type: 'parley-export'; readonly format: number }
  | { readonly type: 'end'; readonly records: number };

export const FIRST_LINE: Frame = { type: 'parley-export', format: FORMAT };

/** The key is always there, as `undefined` when the line leaves it out. */
function maybe<Type extends z.ZodType>(type: Type) {
  return type.optional().transform((value) => value);
}

const count = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();

const speech = z.object({
  format: z.enum(['wav', 'mp3']),
  durationMs: milliseconds,
  data: maybe(z.base64().transform((text) => Uint8Array.from(Buffer.from(text, 'base64')))),
});

const turn = z.object({
  type: z.literal('turn'),
  id: z.string(),
  conversationId: z.string(),
  guildId: z.string(),
  atMs: milliseconds,
  endedAtMs: milliseconds,
  position: count,
  state: z.enum(['done', 'interrupted', 'failed']),
  utterances: z.array(
    z.object({
      speakerId: z.string(),
      speakerName: z.string(),
      offsetMs: milliseconds,
      text: maybe(z.string()),
      transcript: maybe(z.string()),
      speech: maybe(speech),
    }),
  ),
  reply: maybe(z.object({ text: z.string(), audio: maybe(z.object({ id: z.string(), expiresAtMs: milliseconds })) })),
  usage: maybe(
    z.object({
      inputTokens: count,
      outputTokens: count,
      inputAudioTokens: count,
      outputAudioTokens: count,
      cachedInputTokens: count,
    }),
  ),
  failure: maybe(z.string()),
});

const line = z.discriminatedUnion('type', [
  z.object({ type: z.literal('parley-export'), format: z.literal(FORMAT) }),
  z.object({
    type: z.literal('conversation'),
    id: z.string(),
    guildId: z.string(),
    participants: z.array(z.string()).optional(),
  }),
  turn,
  z.object({
    type: z.literal('summary'),
    conversationId: z.string(),
    text: z.string(),
    throughPosition: count,
    madeAtMs: milliseconds,
  }),
  z.object({ type: z.literal('opt-out'), personId: z.string(), sinceMs: milliseconds }),
  z.object({
    type: z.literal('channel-settings'),
    channelId: z.string(),
    guildId: z.string(),
    voice: maybe(z.string()),
    answers: maybe(z.string()),
  }),
  z.object({ type: z.literal('guild-deletion'), guildId: z.string(), dueMs: milliseconds }),
  z.object({ type: z.literal('end'), records: count }),
]);

/** A record as a line, its line break included. */
export function toLine(record: ExportRecord | Frame): string {
  const text = JSON.stringify(record, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
  );
  // JSON may hold these two as they are, but many programs end a line at them.
  return `${text.replaceAll('\u2028', String.raw`\u2028`).replaceAll('\u2029', String.raw`\u2029`)}\n`;
}

/** The lines of a text that comes in pieces, without their line breaks. Only a line feed ends one, unlike for `readline`. */
export async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let begun = '';
  for await (const piece of text) {
    const [end = '', ...next] = piece.split('\n');
    const lines = [begun + end, ...next];
    begun = lines.pop() ?? '';
    yield* lines;
  }
  yield begun;
}

/** @throws {StoreError} `invalid` when the line is not one of an export of this format. */
export function fromLine(text: string, number: number): ExportRecord | Frame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new StoreError('invalid', `line ${number} is not JSON: this is not an export, or it was cut`);
  }
  const result = line.safeParse(value);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.');
  throw new StoreError(
    'invalid',
    `line ${number} is not of an export that this Parley reads${where ? ` (${where})` : ''}`,
  );
}
