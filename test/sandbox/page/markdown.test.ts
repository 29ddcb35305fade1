import { assert, property, string } from 'fast-check';
import { expect, test } from 'vitest';

import { parseMarkdown, type Piece } from '../../../src/sandbox/page/client/markdown.ts';

const kinds = (text: string): string[] => parseMarkdown(text).map(({ kind }) => kind);

test('Discord’s marks are read', () => {
  expect(kinds('**a** *b* __c__ ~~d~~ `e`').filter((kind) => kind !== 'text')).toEqual([
    'strong',
    'emphasis',
    'underline',
    'strike',
    'code',
  ]);
  expect(kinds('# one\n- two\n> three')).toEqual(['heading', 'item', 'quote']);
  expect(parseMarkdown('```ts\nlet a;\n```')).toEqual([{ kind: 'block', text: 'let a;\n' }]);
  expect(parseMarkdown('<@12> <#34>').filter(({ kind }) => kind !== 'text')).toEqual([
    { kind: 'user', id: '12' },
    { kind: 'channel', id: '34' },
  ]);
});

test('only web addresses become links', () => {
  expect(kinds('[a](https://example.com)')).toEqual(['link']);
  expect(kinds('[a](javascript:alert(1))')).toEqual(['text']);
  expect(kinds('snake_case_name and 2*3*4')).toEqual(['text']);
});

function textOf(piece: Piece): string {
  if ('text' in piece) return piece.text;
  return 'inside' in piece ? piece.inside.map(textOf).join('') : '';
}

test('whatever is written, it ends quickly and letters are kept', () => {
  assert(
    property(string({ maxLength: 400 }), (noise) => {
      const text = parseMarkdown(`${noise} letters`).map(textOf).join('');
      expect(text).toContain('letters');
    }),
  );
});
