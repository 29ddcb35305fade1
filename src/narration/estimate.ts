import type { ReadingManner } from '../model/read-aloud.ts';
import type { Script } from './script.ts';

/** 150 words a minute, six characters each with the space: an unhurried reader of English. */
const CHARACTERS_PER_SECOND = 15;
/** In scripts whose characters stand for syllables or words. */
const DENSE_CHARACTERS_PER_SECOND = 4.5;
const DENSE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;

const SLOWER: Readonly<Record<ReadingManner['pace'], number>> = { slow: 1.25, normal: 1, fast: 0.85 };

/** Spoken replies are 20 tokens a second: 1 token for each 50 ms. */
const VOICE_TOKENS_PER_SECOND = 20;
const CHARACTERS_PER_TOKEN = 4;
/** The instructions that go with each passage. */
const TOKENS_PER_PASSAGE = 90;
/** Between passages and at their ends. */
const PAUSE_SECONDS_PER_PASSAGE = 0.5;

export interface Estimate {
  readonly durationMs: number;
  /** In and out. */
  readonly tokens: number;
}

/** How long a script will take to hear, and what it will cost: before anybody has been asked to read it. */
export function estimateOf({ chapters }: Script, pace: ReadingManner['pace']): Estimate {
  let seconds = 0;
  let tokens = 0;
  for (const { text } of chapters.flatMap(({ passages }) => passages)) {
    const spoken = secondsOf(text) * SLOWER[pace];
    const dense = text.match(DENSE)?.length ?? 0;
    const words = dense + (text.length - dense) / CHARACTERS_PER_TOKEN;
    seconds += spoken + PAUSE_SECONDS_PER_PASSAGE;
    // The words go in, and come back as the transcript.
    tokens += TOKENS_PER_PASSAGE + 2 * words + spoken * VOICE_TOKENS_PER_SECOND;
  }
  return { durationMs: seconds * 1000, tokens: Math.round(tokens) };
}

function secondsOf(text: string): number {
  const dense = text.match(DENSE)?.length ?? 0;
  return dense / DENSE_CHARACTERS_PER_SECOND + (text.length - dense) / CHARACTERS_PER_SECOND;
}
