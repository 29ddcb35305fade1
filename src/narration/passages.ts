/** What is spoken in one go. */
export interface Passage {
  readonly text: string;
  /** What follows it: a paragraph's end is a longer pause. */
  readonly ends: 'sentence' | 'paragraph';
}

/** About half a minute of speech: long enough for a natural melody, short enough that reading it again is cheap. */
const MAX_CHARACTERS = 450;

/** The first one is short, so that it is heard soon. */
const FIRST_CHARACTERS = 160;

const SENTENCES = new Intl.Segmenter('und', { granularity: 'sentence' });

/** A full stop after these does not end a sentence. */
const ABBREVIATED = /(?:^|[\s("“])(?:\p{Lu}|Mr|Mrs|Ms|Dr|St|Prof|Jr|Sr|vs|No|z\.B|e\.g|i\.e)\.\s*$/u;

/**
 * Cuts paragraphs into passages to be spoken one after the other, at the ends of sentences; a sentence that is too long at a
 * comma, else between words, else anywhere. Nothing is left out but white space and paragraphs without a letter or digit: the
 * passages joined by spaces are the text.
 */
export function* passagesOf(paragraphs: Iterable<string>): Generator<Passage, void, undefined> {
  let limit = FIRST_CHARACTERS;
  for (const paragraph of paragraphs) {
    const flat = paragraph.replace(/\s+/gu, ' ').trim();
    if (!isSpeakable(flat)) continue;
    let passage = '';
    for (const sentence of sentencesOf(flat)) {
      if (passage !== '' && passage.length + sentence.length + 1 > limit) {
        yield { text: passage, ends: 'sentence' };
        passage = '';
        limit = MAX_CHARACTERS;
      }
      passage = passage === '' ? sentence : `${passage} ${sentence}`;
    }
    yield { text: passage, ends: 'paragraph' };
    limit = MAX_CHARACTERS;
  }
}

/** Whether there is anything in it that can be said. */
export function isSpeakable(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

function* sentencesOf(paragraph: string): Generator<string, void, undefined> {
  let sentence = '';
  for (const { segment } of SENTENCES.segment(paragraph)) {
    sentence += segment;
    if (ABBREVIATED.test(sentence) && sentence.length < MAX_CHARACTERS) continue;
    yield* shortened(sentence.trim());
    sentence = '';
  }
  if (sentence.trim() !== '') yield* shortened(sentence.trim());
}

function* shortened(sentence: string): Generator<string, void, undefined> {
  let rest = sentence;
  while (rest.length > MAX_CHARACTERS) {
    const head = rest.slice(0, MAX_CHARACTERS);
    const pause = Math.max(...[', ', '; ', ': ', ' – ', '、', '，'].map((mark) => head.lastIndexOf(mark)));
    const space = head.lastIndexOf(' ');
    let cut = pause > MAX_CHARACTERS / 2 ? pause + 1 : space > MAX_CHARACTERS / 2 ? space : MAX_CHARACTERS;
    // Never between the halves of a surrogate pair.
    if (/[\uD800-\uDBFF]/.test(rest[cut - 1] ?? '')) cut--;
    yield rest.slice(0, cut).trim();
    rest = rest.slice(cut).trim();
  }
  if (rest !== '') yield rest;
}
