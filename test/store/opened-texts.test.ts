import { expect, test } from 'vitest';

import { OpenedTexts } from '../../src/store/opened-texts.ts';
import { sealText } from '../../src/store/seal.ts';

const key = Buffer.alloc(32, 'k');

test('gives what was sealed, again and again', () => {
  const texts = new OpenedTexts();
  const sealed = sealText(key, 'hello', 'turns.reply 1');
  for (let times = 0; times < 3; times++) expect(texts.open(key, sealed, 'turns.reply 1')).toBe('hello');
});

test('what was altered, or moved to another place, does not open, though it did before', () => {
  const texts = new OpenedTexts();
  const sealed = sealText(key, 'hello', 'turns.reply 1');
  texts.open(key, sealed, 'turns.reply 1');
  expect(() => texts.open(key, sealed, 'turns.reply 2')).toThrow(expect.objectContaining({ kind: 'corrupt' }));
  sealed[20] = (sealed[20] ?? 0) ^ 1;
  expect(() => texts.open(key, sealed, 'turns.reply 1')).toThrow(expect.objectContaining({ kind: 'corrupt' }));
});

test('opens nothing by itself once it was cleared, and holds the newest when there is too much', () => {
  const texts = new OpenedTexts();
  const wrong = Buffer.alloc(32, 'w');
  const sealedTexts = Array.from({ length: 5 }, (_, index) => sealText(key, `${index}`.repeat(500_000), 'p'));
  for (const sealed of sealedTexts) texts.open(key, sealed, 'p');
  const isHeld = (sealed: Uint8Array): boolean => {
    try {
      return texts.open(wrong, sealed, 'p') !== '';
    } catch {
      return false;
    }
  };
  expect(sealedTexts.map(isHeld)).toEqual([false, false, true, true, true]);
  texts.clear();
  expect(sealedTexts.map(isHeld)).toEqual([false, false, false, false, false]);
});
