import { h, type JSX } from 'preact';
import { parseMarkdown, type Piece } from '../markdown.ts';
import { nameOf } from '../state.ts';
import { useParts } from './context.ts';

const TAGS = {
  strong: 'strong',
  emphasis: 'em',
  underline: 'u',
  strike: 's',
  quote: 'blockquote',
} as const;

/** A message's Markdown as elements: text stays text, whatever it looks like. */
export function Markdown({ text }: { text: string }): JSX.Element {
  return h(
    'div',
    { class: 'markdown' },
    parseMarkdown(text).map((piece, index) => h(One, { key: index, piece })),
  );
}

function One({ piece }: { piece: Piece }): JSX.Element {
  const { state } = useParts();
  switch (piece.kind) {
    case 'text':
      return h('span', null, piece.text);
    case 'break':
      return h('br', null);
    case 'code':
      return h('code', null, piece.text);
    case 'block':
      return h('pre', { tabIndex: 0 }, h('code', null, piece.text));
    case 'heading':
      return h('p', { class: `heading level-${piece.level}` }, inside(piece.inside));
    case 'item':
      return h('p', { class: 'item' }, inside(piece.inside));
    case 'link':
      return h('a', { href: piece.url, target: '_blank', rel: 'noreferrer noopener' }, inside(piece.inside));
    case 'user':
      return h('span', { class: 'mention' }, `@${nameOf(state, piece.id)}`);
    case 'channel':
      return h(
        'span',
        { class: 'mention' },
        `#${state.guild.channels.find(({ id }) => id === piece.id)?.name ?? piece.id}`,
      );
    case 'role':
      return h('span', { class: 'mention' }, '@role');
    case 'spoiler':
      return h('details', { class: 'spoiler' }, h('summary', null, '▒▒▒'), inside(piece.inside));
    case 'strong':
    case 'emphasis':
    case 'underline':
    case 'strike':
    case 'quote':
      return h(TAGS[piece.kind], null, inside(piece.inside));
  }
}

function inside(pieces: readonly Piece[]): JSX.Element[] {
  return pieces.map((piece, index) => h(One, { key: index, piece }));
}
