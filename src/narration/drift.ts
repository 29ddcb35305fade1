/** Where what was said is not what was to be read. */
export interface Drift {
  /** A few words of the text, empty where something was added. */
  readonly text: string;
  /** What was said in their place, empty where they were left out. */
  readonly said: string;
}

/** So many words are compared at a time at most: the table for it is as large as both texts multiplied. */
const MAX_WORDS = 1_200;
/** Spelled out, a number or a sign becomes so many words at most. */
const WORDS_FOR_A_NUMBER = 12;

/**
 * The first place where words that were said differ from the text they were to be; `undefined` when it was read word for
 * word. Case, punctuation, accents and how words are joined or split do not matter. Numbers, units and signs may be spelled
 * out either way: what stands for them is not looked into.
 */
export function driftOf(text: string, said: string): Drift | undefined {
  const wanted = wordsOf(text);
  const heard = wordsOf(said);
  if (joined(wanted) === joined(heard)) return undefined;
  return hunks(wanted.slice(0, MAX_WORDS), heard.slice(0, MAX_WORDS))
    .filter((hunk) => !isForgiven(hunk))
    .map((hunk) => ({ text: hunk.wanted.join(' '), said: hunk.heard.join(' ') }))[0];
}

/** How many words of a text were not said as they stand. */
export function driftedWords(text: string, said: string): number {
  return hunks(wordsOf(text).slice(0, MAX_WORDS), wordsOf(said).slice(0, MAX_WORDS))
    .filter((hunk) => !isForgiven(hunk))
    .reduce((sum, { wanted, heard }) => sum + Math.max(wanted.length, heard.length), 0);
}

interface Hunk {
  readonly wanted: string[];
  readonly heard: string[];
}

/** Letters and digits of any script, and the signs that are read as words. Scripts without spaces: each letter a word. */
function wordsOf(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/['’ʼ`´\u00ad]/gu, '');
  return (
    plain.match(
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}]+|[$€£¥%&@+=°§#½¼¾]/gu,
    ) ?? []
  );
}

function joined(words: readonly string[]): string {
  return words.join('');
}

/** Digits and signs are read as words, and abbreviations that have one. */
function isForgiven({ wanted, heard }: Hunk): boolean {
  if (joined(wanted) === joined(heard)) return true;
  if (wanted.length === 0 || heard.length === 0) {
    // A sign need not be read: "C#", "#1", "a & b" without its "and" is still a word less.
    return [...wanted, ...heard].every((word) => /^[^\p{L}\p{N}&%+=]+$/u.test(word));
  }
  return isNumeric(wanted, heard) || isNumeric(heard, wanted) || isAbbreviated(wanted, heard);
}

function isNumeric(numbers: readonly string[], words: readonly string[]): boolean {
  const numeric = numbers.filter((word) => /[^\p{L}]/u.test(word) || /^[ivxlcdm]+$/u.test(word));
  return numeric.length === numbers.length && words.length <= numbers.length * WORDS_FOR_A_NUMBER;
}

/** Written short and read long, as titles and units are. Only where a reader has no choice. */
const ABBREVIATIONS: Readonly<Record<string, readonly string[]>> = {
  mr: ['mister'],
  mrs: ['missus', 'misses', 'mistress'],
  ms: ['miss', 'miz'],
  dr: ['doctor', 'drive'],
  st: ['saint', 'street'],
  prof: ['professor'],
  vs: ['versus'],
  etc: ['etcetera', 'et cetera'],
  no: ['number'],
  km: ['kilometers', 'kilometres', 'kilometer', 'kilometre'],
  kg: ['kilograms', 'kilogram', 'kilos'],
  ok: ['okay'],
};

function isAbbreviated(wanted: readonly string[], heard: readonly string[]): boolean {
  const matches = (short: string, long: string): boolean => ABBREVIATIONS[short]?.includes(long) ?? false;
  const [one, other] = [wanted.join(' '), heard.join(' ')];
  if (matches(one, other) || matches(other, one)) return true;
  return (
    wanted.length === heard.length &&
    wanted.every((word, i) => word === heard[i] || matches(word, heard[i] ?? '') || matches(heard[i] ?? '', word))
  );
}

/** What differs between two lists of words, by their longest common subsequence. */
function hunks(wanted: readonly string[], heard: readonly string[]): Hunk[] {
  const width = heard.length + 1;
  const lengths = new Uint16Array((wanted.length + 1) * width);
  for (let i = wanted.length - 1; i >= 0; i--) {
    for (let j = heard.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        wanted[i] === heard[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const found: Hunk[] = [];
  let hunk: Hunk | undefined;
  let [i, j] = [0, 0];
  while (i < wanted.length || j < heard.length) {
    if (i < wanted.length && j < heard.length && wanted[i] === heard[j]) {
      hunk = undefined;
      i++;
      j++;
      continue;
    }
    if (!hunk) found.push((hunk = { wanted: [], heard: [] }));
    if (j >= heard.length || (i < wanted.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)) {
      hunk.wanted.push(wanted[i++]!);
    } else {
      hunk.heard.push(heard[j++]!);
    }
  }
  return found;
}
