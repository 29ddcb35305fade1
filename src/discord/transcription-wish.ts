import type { Attachment, Client, Message } from 'discord.js';
import { z } from 'zod';

import type { TranscribedFile } from '../files/transcriber.ts';
import { TRANSCRIPT_FORMATS, type TranscriptPart } from '../files/transcript.ts';

const wishSchema = z.object({
  file: z.object({ id: z.string(), url: z.string(), name: z.string(), size: z.number() }),
  language: z.string().optional(),
  /** Without one: the words as messages, or as a text file where they are too many. */
  format: z.enum(TRANSCRIPT_FORMATS).optional(),
  /** The message whose file it is: it knows a link that works when the file's own has expired. */
  source: z.object({ channelId: z.string(), messageId: z.string() }).optional(),
  /** The language of whoever asked. */
  locale: z.string(),
});

/** A transcription somebody wishes, as it outlives this process. */
export type TranscriptionWish = Readonly<z.infer<typeof wishSchema>>;

export function wishToJson(wish: TranscriptionWish): string {
  return JSON.stringify(wish);
}

/** @throws {ZodError | SyntaxError} when another Parley has written it. */
export function wishFromJson(json: string): TranscriptionWish {
  return wishSchema.parse(JSON.parse(json));
}

const partsSchema = z.array(z.object({ startMs: z.number(), endMs: z.number(), text: z.string() }));

export function partsToJson(parts: readonly TranscriptPart[]): string {
  return JSON.stringify(parts);
}

/** @throws {ZodError | SyntaxError} as {@link wishFromJson}. */
export function partsFromJson(json: string): TranscriptPart[] {
  return partsSchema.parse(JSON.parse(json));
}

/** The wish's file, which finds a link of today where there is one. */
export function fileOf({ file, source }: TranscriptionWish, client: Client): TranscribedFile {
  return {
    ...file,
    async freshUrl() {
      if (!source) return undefined;
      const channel = await client.channels.fetch(source.channelId).catch(() => null);
      if (!channel?.isTextBased()) return undefined;
      const message = await channel.messages.fetch({ message: source.messageId, force: true }).catch(() => undefined);
      return message && attachmentsOf(message).find(({ id }) => id === file.id)?.url;
    },
  };
}

/** The attachments of a message, and of what it forwards. */
export function attachmentsOf(message: Message): Attachment[] {
  const forwarded = message.messageSnapshots.flatMap(({ attachments }) => attachments);
  return [...message.attachments.values(), ...forwarded.values()];
}
