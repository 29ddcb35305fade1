import type { FileTrouble } from '../language/words.ts';

/** A text to be read aloud. */
export interface TextDocument {
  readonly title: string | undefined;
  readonly chapters: readonly Chapter[];
}

export interface Chapter {
  readonly title: string | undefined;
  /** Its heading is the first of them, where it has one. */
  readonly paragraphs: readonly string[];
}

/** So many characters are read aloud at most: about nine hours of speech. */
export const MAX_CHARACTERS = 500_000;

const MAX_FRONT_CHARACTERS = 300;

/** What the child process that reads documents is sent. */
export interface DocumentJob {
  readonly path: string;
  /** As Discord gives it: says whether a text is Markdown. */
  readonly name: string;
}

/** What it answers. */
export type DocumentMessage =
  | { readonly type: 'read'; readonly document: TextDocument }
  | { readonly type: 'failed'; readonly kind: FileTrouble; readonly message: string };

/** Gathers paragraphs into chapters. */
export class ChapterBuilder {
  readonly #chapters: { title: string | undefined; paragraphs: string[] }[] = [];
  #characters = 0;
  readonly #tooLong: () => Error;

  /** @param tooLong What is thrown once there are more than {@link MAX_CHARACTERS}. */
  constructor(tooLong: () => Error) {
    this.#tooLong = tooLong;
  }

  begin(title: string): void {
    const clean = flat(title);
    const last = this.#chapters.at(-1);
    // What stands before the first heading, such as the title of the whole, makes no chapter of its own.
    const front = this.#chapters.length === 1 && last && last.title === undefined ? last.paragraphs : [];
    const isFront = front.join('').length <= MAX_FRONT_CHARACTERS;
    if (isFront && front.length > 0) this.#chapters.pop();
    this.#chapters.push({ title: clean.slice(0, 200), paragraphs: isFront ? [...front] : [] });
    this.add(clean);
  }

  add(paragraph: string): void {
    const clean = flat(paragraph);
    if (clean === '') return;
    this.#characters += clean.length;
    if (this.#characters > MAX_CHARACTERS) throw this.#tooLong();
    if (this.#chapters.length === 0) this.#chapters.push({ title: undefined, paragraphs: [] });
    this.#chapters.at(-1)?.paragraphs.push(clean);
  }

  get chapters(): Chapter[] {
    return this.#chapters.filter(({ paragraphs }) => paragraphs.length > 0);
  }
}

function flat(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}
