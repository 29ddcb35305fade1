import { array, assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';

import { passagesOf } from '../../src/narration/passages.ts';

function textOf(...paragraphs: string[]): string[] {
  return [...passagesOf(paragraphs)].map(({ text }) => text);
}

describe('passages', () => {
  test('sentences stay whole, and a title does not end one', () => {
    const sentences = Array.from({ length: 30 }, (_, i) => `Mr. Brown and Dr. Green walked past house number ${i}.`);
    const passages = textOf(sentences.join(' '));
    expect(passages.length).toBeGreaterThan(2);
    for (const passage of passages) {
      expect(passage.endsWith('.')).toBe(true);
      expect(passage.startsWith('Mr. Brown')).toBe(true);
      expect(passage.length).toBeLessThanOrEqual(450);
    }
    expect(passages.join(' ')).toBe(sentences.join(' '));
    expect(passages[0]!.length).toBeLessThanOrEqual(160);
  });

  test('a paragraph ends a passage, and what cannot be said is left out', () => {
    expect([...passagesOf(['One.', '* * *', '  ', 'Two.\nThree.'])]).toEqual([
      { text: 'One.', ends: 'paragraph' },
      { text: 'Two. Three.', ends: 'paragraph' },
    ]);
  });

  test('sentences in other scripts', () => {
    const text = '今日は雨です。明日は晴れるでしょう。'.repeat(40);
    const passages = textOf(text);
    expect(passages.length).toBeGreaterThan(1);
    expect(passages.every((passage) => passage.endsWith('。'))).toBe(true);
    expect(passages.join('').replaceAll(' ', '')).toBe(text);
  });

  test('whatever the text: nothing lost, nothing twice, in order, none too long', () => {
    assert(
      property(array(string({ maxLength: 2000, unit: 'grapheme' }), { maxLength: 5 }), (paragraphs) => {
        const passages = textOf(...paragraphs);
        const bare = (text: string): string => text.replace(/\s+/gu, '');
        const spoken = paragraphs.filter((paragraph) => /[\p{L}\p{N}]/u.test(paragraph));
        expect(bare(passages.join(''))).toBe(bare(spoken.join('')));
        for (const passage of passages) expect(passage.length).toBeLessThanOrEqual(450);
      }),
      { numRuns: 200 },
    );
  });
});
