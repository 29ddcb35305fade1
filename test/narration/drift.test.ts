import { describe, expect, test } from 'vitest';

import { driftedWords, driftOf } from '../../src/narration/drift.ts';

describe('read word for word', () => {
  test.for([
    ['Hello, World!', 'hello world'],
    ['“Don’t,” she said — twice.', "Don't, she said, twice."],
    ['A café in Zürich.', 'A cafe in Zurich'],
    ['ice-cream and e-mail', 'ice cream and email'],
    ['It was 10:30 on 3 May 1999.', 'It was ten thirty on the third of May nineteen ninety-nine.'],
    ['She paid $5.', 'She paid five dollars.'],
    ['Chapter IV', 'Chapter four'],
    ['twenty-one birds', '21 birds'],
    ['Dr. Smith met Mr. Jones.', 'Doctor Smith met Mister Jones.'],
    ['C# is a language', 'C sharp is a language'],
    ['今日は雨です。', '今日は雨です'],
    ['Ein schöner Tag, nicht wahr?', 'ein schöner tag nicht wahr'],
    ['Number #1 wins', 'Number 1 wins'],
  ] as const)('%s', ([text, said]) => {
    expect(driftOf(text, said)).toBeUndefined();
    expect(driftedWords(text, said)).toBe(0);
  });
});

describe('strayed from the text', () => {
  test.for([
    ['left out', 'The quick brown fox jumps.', 'The quick fox jumps.', { text: 'brown', said: '' }],
    ['added', 'The fox jumps.', 'Sure! The fox jumps.', { text: '', said: 'sure' }],
    ['another word', 'The fox jumps.', 'The fox leaps.', { text: 'jumps', said: 'leaps' }],
    ['answered', 'What is the time?', 'It is noon.', { text: 'what', said: 'it' }],
    [
      'cut short',
      'One fine day it rained. Then it stopped.',
      'One fine day it rained.',
      { text: 'then it stopped', said: '' },
    ],
    ['nothing said', 'Hello.', '', { text: 'hello', said: '' }],
    ['said twice', 'Hello there.', 'Hello there. Hello there.', { text: '', said: 'hello there' }],
    ['another letter', '今日は雨です。', '今日は雪です。', { text: '雨', said: '雪' }],
    ['a number left out', 'There were 3 of us.', 'There were of us.', undefined],
  ] as const)('%s', ([, text, said, drift]) => {
    if (drift) expect(driftOf(text, said)).toEqual(drift);
    expect(driftedWords(text, said)).toBeGreaterThan(0);
  });
});
