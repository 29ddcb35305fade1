import type { ProgressFacts } from './words.ts';

/** What is said with `/say`. */
export interface SayWords {
  readonly 'spoken-over': string;
  /** The call ended. */
  readonly gone: string;
  /** What was said is not what was to be read. Either may be empty. */
  strayed(text: string, said: string): string;
}

/** What is said with `/narrate`. */
export interface NarrateWords {
  readonly paces: { readonly slow: string; readonly normal: string; readonly fast: string };
  /** Before a long one begins. */
  question(facts: { durationMs: number; tokens: number; chapters: number }): string;
  progress(facts: ProgressFacts & { readonly tokens: number }): string;
  chapter(number: number, title: string | undefined): string;
  /** Said with each file. */
  file(file: { chapter: number; title: string | undefined; part: number; parts: number }): string;
  readonly buttons: Readonly<Record<'start' | 'cancel' | 'pause' | 'go-on' | 'back' | 'on' | 'stop', string>>;
  readonly cancelled: string;
  /** The question was not answered. */
  readonly unanswered: string;
  /** A button of a narration that has ended. */
  readonly over: string;
  /** Parley stops, and will go on. */
  readonly goesOn: string;
  readonly notGoneOn: string;
  done(durationMs: number): string;
  cutShort(atMs: number): string;
  /** In so many places what was read is not the text; the first one. */
  strayed(places: number, text: string, said: string): string;
}
