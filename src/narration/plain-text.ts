import type { ChapterBuilder } from './document.ts';

/** A line by itself that begins a chapter: "Chapter 4: The Lamp", "Kapitel III", "Prologue", "12.", "XIV". */
const HEADING =
  /^(?:(?:chapter|part|book|prologue|epilogue|preface|kapitel|teil|prolog|epilog|vorwort|chapitre|partie|capítulo|parte|capitolo)(?:[\s.:–—-].{0,80})?|\d{1,3}\.?|[IVXLC]{1,7}\.?)$/iu;

/** Puts a plain text into chapters. Paragraphs are separated by empty lines; where there are none, each line is one. */
export function readPlainText(text: string, chapters: ChapterBuilder): void {
  const lines = text.replace(/\r\n?/g, '\n');
  const paragraphs = /\n[ \t]*\n/.test(lines) ? lines.split(/\n(?:[ \t]*\n)+/) : lines.split('\n');
  for (const paragraph of paragraphs) {
    const line = paragraph.trim();
    if (!line.includes('\n') && HEADING.test(line)) chapters.begin(line);
    else chapters.add(line);
  }
}
