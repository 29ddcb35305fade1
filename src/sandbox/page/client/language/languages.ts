import { english } from './english.ts';
import { french } from './french.ts';
import { italian } from './italian.ts';
import { portuguese } from './portuguese.ts';
import type { Strings } from './strings.ts';

export interface Language {
  readonly code: string;
  readonly name: string;
  readonly strings: Strings;
}

const ENGLISH: Language = { code: 'en', name: 'English', strings: english };

export const LANGUAGES: readonly Language[] = [
  ENGLISH,
  { code: 'fr', name: 'Français', strings: french },
  { code: 'it', name: 'Italiano', strings: italian },
  { code: 'pt', name: 'Português', strings: portuguese },
];

/** The first of these languages, such as `pt-BR`, that the page speaks. English if it speaks none. */
export function languageOf(wanted: readonly string[]): Language {
  const found = wanted.flatMap((code) => LANGUAGES.filter((language) => code.toLowerCase().startsWith(language.code)));
  return found[0] ?? ENGLISH;
}
