import { Lexer, type Token } from 'marked';

import type { ChapterBuilder } from './document.ts';

/** Puts a Markdown text into chapters: what is read is its words, without what they are marked with. Returns its title. */
export function readMarkdown(source: string, chapters: ChapterBuilder): string | undefined {
  const tokens = new Lexer().lex(source);
  const depths = tokens.flatMap((token) =>
    token.type === 'heading' && isNumber(token['depth']) ? [token['depth']] : [],
  );
  // A single heading above all others is the title of the whole, and the ones below it begin the chapters.
  const top = Math.min(...depths);
  const isTitled = depths[0] === top && depths.filter((depth) => depth === top).length === 1 && depths.length > 1;
  const chapterDepth = isTitled ? Math.min(...depths.slice(1)) : top;
  let title: string | undefined;
  for (const token of tokens) {
    if (token.type !== 'heading') {
      for (const paragraph of paragraphsOf(token)) chapters.add(paragraph);
    } else if (token['depth'] === top && isTitled) {
      title = wordsOf(token);
      chapters.add(title);
    } else if (token['depth'] === chapterDepth) {
      chapters.begin(wordsOf(token));
    } else {
      chapters.add(wordsOf(token));
    }
  }
  return title;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function* paragraphsOf(token: Token): Generator<string, void, undefined> {
  switch (token.type) {
    case 'space':
    case 'hr':
    case 'html':
    case 'def':
      return;
    case 'blockquote':
    case 'list_item':
      for (const child of token.tokens ?? []) yield* paragraphsOf(child);
      return;
    case 'list':
      for (const item of tokensIn(token['items'])) yield* paragraphsOf(item);
      return;
    case 'table':
      yield cellsOf(token['header']);
      if (Array.isArray(token['rows'])) for (const row of token['rows']) yield cellsOf(row);
      return;
    default:
      yield wordsOf(token);
  }
}

function cellsOf(cells: unknown): string {
  return tokensIn(cells).map(wordsOf).join(', ');
}

function tokensIn(value: unknown): Token[] {
  return Array.isArray(value) ? value.filter((one): one is Token => typeof one === 'object' && one !== null) : [];
}

/** The words of a token, without marks; pictures and HTML have none. */
function wordsOf(token: Token): string {
  if (token.type === 'html' || token.type === 'image') return '';
  if (token.type === 'br') return '\n';
  if ('tokens' in token && token.tokens && token.tokens.length > 0) return token.tokens.map(wordsOf).join('');
  return 'text' in token && typeof token.text === 'string' ? token.text : '';
}
