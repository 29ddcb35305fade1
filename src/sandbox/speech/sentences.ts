/** Longest piece given to the synthesiser at once: about 15 s of speech, some 0.3 s of work. */
const MAX_SENTENCE_CHARACTERS = 200;
/** A longer "word" is spelled out letter by letter, at 150 ms a letter: it is cut so that it can be stopped. */
const MAX_WORD_CHARACTERS = 40;

/**
 * Cuts a text into pieces short enough to be spoken one by one: at the ends of sentences, else at a comma, else between
 * words. The pieces joined by single spaces are the text again, apart from its own white space.
 */
export function splitSentences(text: string): string[] {
  const pieces: string[] = [];
  for (const sentence of text.split(/(?<=[.!?…。！？])\s+|\n+/u)) {
    let piece = '';
    for (const word of sentence.split(/\s+/u)) {
      if (word === '') continue;
      const longer = piece === '' ? word : `${piece} ${word}`;
      const full = longer.length > MAX_SENTENCE_CHARACTERS;
      const pause = piece.length > MAX_SENTENCE_CHARACTERS / 2 && /[,;:，；]$/u.test(piece);
      if (piece !== '' && (full || pause)) {
        pieces.push(piece);
        piece = word;
      } else {
        piece = longer;
      }
    }
    if (piece !== '') pieces.push(piece);
  }
  return pieces;
}

/**
 * What the synthesiser can say of a text: it knows English letters, digits and punctuation. Accents are taken off, other
 * scripts and symbols are left out. Empty when there is nothing to say.
 */
export function sayable(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/[‘’‛′]/gu, "'")
    .replace(/[“”„«»]/gu, '"')
    .replace(/[–—−]/gu, '-')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]+/gu, ' ')
    .replace(/[<>{}[\]\\|^`~_]/gu, ' ');
  const words = plain.split(/\s+/u).flatMap((word) => word.match(WORD_PIECES) ?? []);
  const said = words.join(' ').slice(0, 2 * MAX_SENTENCE_CHARACTERS);
  return /[a-z0-9]/iu.test(said) ? said : '';
}

const WORD_PIECES = new RegExp(`.{1,${MAX_WORD_CHARACTERS}}`, 'gu');
