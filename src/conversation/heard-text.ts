import { FRAME_MS } from '../audio/frame.ts';

/**
 * Speech in most languages stays under this many letters a second; used only while the length of the whole reply is not
 * known yet.
 */
const MAX_CHARACTERS_PER_SECOND = 16;

/**
 * Knows how much of a reply's transcript had been spoken when a reply was cut. The API gives no word times, and its
 * transcript runs ahead of its sound, so the answer is an estimate: the share of the sound that was played, never more
 * than had arrived with that sound, cut back to a whole word.
 */
export class HeardText {
  #text = '';
  #frames = 0;
  /** For each stretch of transcript: how much sound had arrived before it. */
  readonly #marks: { readonly frames: number; readonly characters: number }[] = [];

  addText(delta: string): void {
    this.#text += delta;
    this.#marks.push({ frames: this.#frames, characters: this.#text.length });
  }

  addFrame(): void {
    this.#frames++;
  }

  /** The whole transcript so far. */
  get text(): string {
    return this.#text;
  }

  /** What was said in the first `playedFrames` frames. `ended`: no more of the reply was to come. */
  upTo(playedFrames: number, ended: boolean): string {
    if (playedFrames >= this.#frames && ended) return this.#text;
    if (playedFrames === 0) return '';
    const share = ended
      ? (this.#text.length * playedFrames) / Math.max(1, this.#frames)
      : ((playedFrames * FRAME_MS) / 1000) * MAX_CHARACTERS_PER_SECOND;
    const arrived = this.#marks.findLast((mark) => mark.frames <= playedFrames)?.characters ?? 0;
    return wholeWords(this.#text, Math.min(Math.round(share), arrived));
  }
}

/** The first `length` characters of `text`, cut back to the end of a word. */
function wholeWords(text: string, length: number): string {
  if (length >= text.length) return text;
  let heard = '';
  for (const { segment, index } of new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text)) {
    if (index + segment.length > length) break;
    heard = text.slice(0, index + segment.length);
  }
  return heard.trimEnd();
}
