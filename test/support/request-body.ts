import { z } from 'zod';

import type { ModelRequestRecord } from '../../src/sandbox/control/protocol.ts';

const partSchema = z.union([
  z.object({ type: z.literal('text'), text: z.string() }).transform(({ text }) => text),
  z
    .object({ type: z.literal('input_audio'), input_audio: z.object({ data: z.object({ audio: z.number() }) }) })
    .transform(({ input_audio }) => input_audio.data.audio),
]);

const bodySchema = z.object({
  audio: z.object({ voice: z.string() }).optional(),
  messages: z.array(
    z.object({
      role: z.enum(['system', 'developer', 'user', 'assistant']),
      content: z.union([z.string().transform((text) => [text]), z.array(partSchema)]).nullish(),
      audio: z.object({ id: z.string() }).optional(),
    }),
  ),
});

export interface RequestMessage {
  readonly role: string;
  /** In order: text as it stands, sound as its index in the request's `audio`. */
  readonly parts: readonly (string | number)[];
  /** The earlier spoken reply that is referred to. */
  readonly audioId: string | undefined;
}

/** The messages of a chat request after the system prompt. */
export function messagesOf(request: ModelRequestRecord): RequestMessage[] {
  return bodySchema
    .parse(request.body)
    .messages.filter(({ role }) => role !== 'system' && role !== 'developer')
    .map(({ role, content, audio }) => ({ role, parts: content ?? [], audioId: audio?.id }));
}

/** The voice that is asked for. */
export function voiceOf(request: ModelRequestRecord): string | undefined {
  return bodySchema.parse(request.body).audio?.voice;
}

/** What the people said in the turn that is to be answered. */
export function newestTurn(request: ModelRequestRecord): readonly (string | number)[] {
  return messagesOf(request).findLast(({ role }) => role === 'user')?.parts ?? [];
}
