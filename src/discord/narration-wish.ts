import { z } from 'zod';

import { NARRATION_FORMATS } from '../narration/chapter-file.ts';
import type { NarratedPassage } from '../narration/narration.ts';
import { scriptSchema } from '../narration/script.ts';

export const PACES = ['slow', 'normal', 'fast'] as const;

const wishSchema = z.object({
  script: scriptSchema,
  voice: z.string(),
  pace: z.enum(PACES),
  manner: z.string().optional(),
  format: z.enum(NARRATION_FORMATS),
  /** The language of whoever asked. */
  locale: z.string(),
});

/** A narration somebody wishes, as it outlives this process. */
export type NarrationWish = Readonly<z.infer<typeof wishSchema>>;

export function wishToJson(wish: NarrationWish): string {
  return JSON.stringify(wish);
}

/** @throws {ZodError | SyntaxError} when another Parley has written it. */
export function wishFromJson(json: string): NarrationWish {
  return wishSchema.parse(JSON.parse(json));
}

/** Kept pieces from here on say which chapters have been given: further than any text has passages. */
export const GIVEN_FROM = 1_000_000;

const passageSchema = z.object({
  index: z.number(),
  frames: z.number(),
  drift: z.object({ text: z.string(), said: z.string() }).optional(),
});

export function passageToJson(passage: NarratedPassage): string {
  return JSON.stringify(passage);
}

/** @throws {ZodError | SyntaxError} as {@link wishFromJson}. */
export function passageFromJson(json: string): NarratedPassage {
  const { index, frames, drift } = passageSchema.parse(JSON.parse(json));
  return { index, frames, drift };
}
