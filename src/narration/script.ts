import { z } from 'zod';

import type { TextDocument } from './document.ts';
import { isSpeakable, passagesOf } from './passages.ts';

const scriptSchema = z.object({
  title: z.string().optional(),
  chapters: z.array(
    z.object({
      title: z.string().optional(),
      passages: z.array(z.object({ text: z.string(), ends: z.enum(['sentence', 'paragraph']) })),
    }),
  ),
});

/** A text as it is read: chapters of passages. Serialisable, so that it can be gone on with later. */
export type Script = Readonly<z.infer<typeof scriptSchema>>;

export { scriptSchema };

/** Cuts a document into what is read in one go. Chapters in which there is nothing to say are left out. */
export function scriptOf({ title, chapters }: TextDocument): Script {
  return {
    title,
    chapters: chapters
      .filter(({ paragraphs }) => paragraphs.some(isSpeakable))
      .map((chapter) => ({ title: chapter.title, passages: [...passagesOf(chapter.paragraphs)] })),
  };
}

/** The index of each chapter's first passage, and one after the last's last. */
export function chapterStarts({ chapters }: Script): number[] {
  const starts = [0];
  for (const { passages } of chapters) starts.push((starts.at(-1) ?? 0) + passages.length);
  return starts;
}
