import type { Words } from '../language/words.ts';

/** A transcriber spells an unusual name as it hears it: one letter more, less or other, in names of this length. */
const NEAR_FROM_LETTERS = 5;
/** Only at the edges of what was said, where people call somebody; in between, a word that is merely alike is that word. */
const EDGE_WORDS = 3;

/** Written without spaces between words: a name is then found anywhere. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/**
 * Whether one of the bot's names is said in `words`: as a whole word, whatever its accents and case. A name of several
 * words may also be written as one, and the other way round ("par ley").
 */
export function isAddressed(words: string, names: readonly string[]): boolean {
  const said = tokensOf(words);
  return names.some((name) => {
    const wanted = tokensOf(name);
    const joined = wanted.join('');
    if (joined === '') return false;
    if (UNSPACED.test(joined)) return said.join('').includes(joined);
    const longest = wanted.length + 1;
    for (let from = 0; from < said.length; from++) {
      for (let end = from + 1; end <= Math.min(said.length, from + longest); end++) {
        const heard = said.slice(from, end).join('');
        if (heard === joined) return true;
        const atEdge = from < EDGE_WORDS || end > said.length - EDGE_WORDS;
        if (atEdge && joined.length >= NEAR_FROM_LETTERS && isOneEditAway(heard, joined)) return true;
      }
    }
    return false;
  });
}

/** What somebody wants who speaks while the bot does. */
export type OverReply =
  /** To show that they listen: the reply goes on. */
  | 'backchannel'
  /** That the bot is quiet. */
  | 'stop'
  /** To say something. */
  | 'speech';

/** What speech over a reply means by its words. Nothing but noise, laughter or stage directions is a backchannel. */
export function meaningOver(words: string, names: readonly string[], lists: Words['overReply']): OverReply {
  const said = tokensOf(words.replace(/\([^)]*\)|\[[^\]]*\]|\*[^*]*\*/g, ' ')).filter((token) => !LAUGHTER.test(token));
  const backchannels = lists.backchannels.map(tokensOf);
  if (isMadeOf(said, backchannels)) return 'backchannel';
  const stops = lists.stops.map(tokensOf);
  const around = [...backchannels, ...[...lists.polite, ...names].map(tokensOf)];
  if (isMadeOf(said, [...stops, ...around]) && stops.some((stop) => holds(said, stop))) return 'stop';
  return 'speech';
}

/** "haha", "hehehe", "lol". */
const LAUGHTER = /^(?:a?(?:h[aeio]){2,}h?|lo+l)$/;

/** Words in lower case without accents and signs; drawn-out letters ("mmmm", "yeahhh") once. */
function tokensOf(text: string): string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => word.replace(/(\p{L})\1+/gu, '$1'));
}

/** Whether phrases one after the other make up all that was said. Nothing is made of none. */
function isMadeOf(said: readonly string[], phrases: readonly (readonly string[])[]): boolean {
  const reached = new Set([0]);
  for (const from of reached) {
    for (const phrase of phrases) {
      if (phrase.length > 0 && startsAt(said, phrase, from)) reached.add(from + phrase.length);
    }
  }
  return reached.has(said.length);
}

function holds(said: readonly string[], phrase: readonly string[]): boolean {
  return said.some((_, from) => startsAt(said, phrase, from));
}

function startsAt(said: readonly string[], phrase: readonly string[], from: number): boolean {
  return phrase.every((word, index) => said[from + index] === word);
}

/** One letter added, left out, changed, or two swapped. */
function isOneEditAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  return (
    restA.slice(1) === restB.slice(1) ||
    restA.slice(1) === restB ||
    restA === restB.slice(1) ||
    (restA.slice(2) === restB.slice(2) && restA[0] === restB[1] && restA[1] === restB[0])
  );
}
