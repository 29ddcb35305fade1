import { describe, expect, it } from 'vitest';

import { HeardText } from '../../src/conversation/heard-text.ts';

const WORDS = 'The quick brown fox jumps over the lazy dog while nobody looks';

/** A reply whose transcript runs ahead of its sound: 100 frames in all. */
function reply(): HeardText {
  const heard = new HeardText();
  heard.addText(WORDS);
  for (let frame = 0; frame < 100; frame++) heard.addFrame();
  return heard;
}

describe('HeardText', () => {
  it('gives everything when everything was played', () => {
    expect(reply().upTo(100, true)).toBe(WORDS);
  });

  it('gives nothing when nothing was played', () => {
    expect(reply().upTo(0, true)).toBe('');
  });

  it('gives about the share that was played, in whole words', () => {
    const half = reply().upTo(50, true);
    expect(WORDS.startsWith(half)).toBe(true);
    expect(WORDS[half.length]).toMatch(/\s/);
    expect(Math.abs(half.length - WORDS.length / 2)).toBeLessThan(8);
  });

  it('grows with what was played', () => {
    const heard = reply();
    const lengths = Array.from({ length: 101 }, (_, frames) => heard.upTo(frames, true).length);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  });

  it('never claims words that came after the sound that was played', () => {
    const heard = new HeardText();
    heard.addText('First part. ');
    for (let frame = 0; frame < 50; frame++) heard.addFrame();
    heard.addText('Second part, which is a good deal longer than the first one was.');
    for (let frame = 0; frame < 50; frame++) heard.addFrame();
    expect(heard.upTo(45, true)).toBe('First part.');
  });

  it('guesses by the pace of speech while the reply is still coming', () => {
    const heard = reply();
    expect(heard.upTo(50, false).length).toBeLessThanOrEqual(16);
  });
});
