import { FRAME_MS } from '../audio/frame.ts';

/** Quieter than any voice. */
const SILENCE_DBFS = -50;
/** A speaker's pause at a comma or a full stop; gaps within words are shorter. */
const PAUSE_FRAMES = 140 / FRAME_MS;

/** Usual pace while there is sound, in syllables; used only while the length of the whole reply is not known yet. */
const SYLLABLES_PER_SECOND = 4.2;

/** A pause belongs to a punctuation mark that is no further off than this by the pace of what was said. */
const SNAP_SYLLABLES = 4;

/** Where words and sound are known to meet: so many syllables after so many frames with sound. */
interface Anchor {
  readonly voiced: number;
  readonly syllables: number;
}

/** A word with what follows it up to the next one. */
interface Word {
  /** Where its own letters end in the text. */
  readonly end: number;
  /** Syllables up to its end. */
  readonly syllables: number;
  /** A pause may follow: there is a punctuation mark. */
  readonly pauses: boolean;
}

/**
 * Knows how much of a reply's transcript had been spoken when a reply was cut. The API gives no word times, and its
 * transcript runs ahead of its sound, so the answer is an estimate: as many syllables as the sound that was played had
 * room for, silence not counted, set right at each pause that has its punctuation mark, and never more than had arrived
 * with that sound.
 */
export class HeardText {
  #text = '';
  /** For each frame: frames with sound up to and with it. */
  readonly #voiced: number[] = [];
  /** Frames with sound before each pause. */
  readonly #pauses: number[] = [];
  #silentFrames = 0;
  /** For each stretch of transcript: how much sound had arrived before it. */
  readonly #marks: { readonly frames: number; readonly characters: number }[] = [];

  addText(delta: string): void {
    this.#text += delta;
    this.#marks.push({ frames: this.#voiced.length, characters: this.#text.length });
  }

  /** One more frame of the reply; without a level it counts as sound. */
  addFrame(levelDbfs = 0): void {
    const before = this.#voiced.at(-1) ?? 0;
    const hasSound = levelDbfs > SILENCE_DBFS;
    this.#voiced.push(before + (hasSound ? 1 : 0));
    this.#silentFrames = hasSound ? 0 : this.#silentFrames + 1;
    if (this.#silentFrames === PAUSE_FRAMES && before > 0) this.#pauses.push(before);
  }

  /** The whole transcript so far. */
  get text(): string {
    return this.#text;
  }

  /** What was said in the first `playedFrames` frames. `ended`: no more of the reply was to come. */
  upTo(playedFrames: number, ended: boolean): string {
    if (playedFrames >= this.#voiced.length && ended) return this.#text;
    const voiced = this.#voiced[playedFrames - 1] ?? 0;
    if (voiced === 0) return '';
    const words = wordsOf(this.#text);
    const arrived = this.#marks.findLast((mark) => mark.frames <= playedFrames)?.characters ?? 0;
    const syllables = this.#syllablesAt(voiced, words, ended);
    const heard = words.findLast((word) => word.end <= arrived && word.syllables <= syllables);
    return heard ? this.#text.slice(0, tailOf(this.#text, heard.end)) : '';
  }

  #syllablesAt(voiced: number, words: readonly Word[], ended: boolean): number {
    const whole: Anchor = { voiced: this.#voiced.at(-1) ?? 0, syllables: words.at(-1)?.syllables ?? 0 };
    const usualPace = (SYLLABLES_PER_SECOND * FRAME_MS) / 1000;
    let from: Anchor = { voiced: 0, syllables: 0 };
    const paceFrom = ({ voiced: sounded, syllables }: Anchor): number => {
      if (ended) return (whole.syllables - syllables) / Math.max(1, whole.voiced - sounded);
      // What was anchored so far says how fast this voice speaks; a second of the usual pace keeps the first words sane.
      const second = 1000 / FRAME_MS;
      return (syllables + usualPace * second) / (sounded + second);
    };
    for (const pause of this.#pauses) {
      const guess = from.syllables + (pause - from.voiced) * paceFrom(from);
      const mark = nearestMark(words, guess, from.syllables);
      if (!mark) continue;
      const anchor = { voiced: pause, syllables: mark.syllables };
      if (pause >= voiced) {
        return from.syllables + ((voiced - from.voiced) * (anchor.syllables - from.syllables)) / (pause - from.voiced);
      }
      from = anchor;
    }
    return from.syllables + (voiced - from.voiced) * paceFrom(from);
  }
}

function nearestMark(words: readonly Word[], guess: number, after: number): Word | undefined {
  let nearest: Word | undefined;
  for (const word of words) {
    if (!word.pauses || word.syllables <= after) continue;
    const isNearer = Math.abs(word.syllables - guess) < Math.abs((nearest?.syllables ?? Infinity) - guess);
    if (isNearer && Math.abs(word.syllables - guess) <= SNAP_SYLLABLES) nearest = word;
  }
  return nearest;
}

function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let syllables = 0;
  for (const { segment, index, isWordLike } of new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text)) {
    const last = words.at(-1);
    if (isWordLike) {
      syllables += syllablesOf(segment);
      words.push({ end: index + segment.length, syllables, pauses: false });
    } else if (last && !last.pauses && /[\p{P}\n]/u.test(segment)) {
      words[words.length - 1] = { ...last, pauses: true };
    }
  }
  return words;
}

/** About how long a word is spoken: groups of vowels where a script has them, each digit, else each letter or two. */
function syllablesOf(word: string): number {
  const plain = word.normalize('NFKD').toLowerCase();
  const digits = plain.match(/\p{N}/gu)?.length ?? 0;
  const letters = plain.match(/\p{L}/gu)?.length ?? 0;
  const vowels = plain.replace(/e$/, '').match(/[aeiouyаеёиоуыэюяαεηιουω]+/gu)?.length ?? 0;
  const spoken = /[\p{sc=Latin}\p{sc=Cyrillic}\p{sc=Greek}]/u.test(plain) ? Math.max(1, vowels) : letters / 1.5;
  // Consonants take time, too: "strengths" is one syllable, and so is "a".
  return 0.6 * spoken + 0.13 * letters + 1.5 * digits;
}

/** The end of a word with the signs that cling to it. */
function tailOf(text: string, end: number): number {
  return end + (/^[^\s\p{L}\p{N}]+/u.exec(text.slice(end))?.[0].length ?? 0);
}
