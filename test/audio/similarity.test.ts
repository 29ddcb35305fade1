import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { FRAME_SAMPLES } from '../../src/audio/frame.ts';
import { OpusDecoder, OpusEncoder } from '../../src/audio/opus.ts';
import { correlate } from '../../src/audio/similarity.ts';
import { noise, sequence, silence, spoken } from './sounds.ts';

let speech: Int16Array;
let other: Int16Array;
beforeAll(async () => {
  [speech, other] = await Promise.all([
    spoken('Good evening. I would like to know what the weather will be like tomorrow.'),
    spoken('The quick brown fox jumps over the lazy dog, and then it sleeps.'),
  ]);
});

/** What a listener decodes of what a speaker sends. */
function throughOpus(samples: Int16Array): Int16Array {
  using encoder = new OpusEncoder('live');
  using decoder = new OpusDecoder();
  const heard: Int16Array[] = [];
  for (let at = 0; at + FRAME_SAMPLES <= samples.length; at += FRAME_SAMPLES) {
    heard.push(decoder.decode(encoder.encode(samples.subarray(at, at + FRAME_SAMPLES))));
  }
  return sequence(...heard);
}

/** The definition, word for word. */
function slowly(reference: number[], heard: number[], offset: number): number {
  let product = 0;
  let energy = 0;
  for (const [i, sample] of reference.entries()) {
    const there = heard[i + offset] ?? 0;
    product += sample * there;
    energy += there * there;
  }
  const referenceEnergy = reference.reduce((sum, sample) => sum + sample * sample, 0);
  return energy === 0 ? 0 : product / Math.sqrt(energy * referenceEnergy);
}

describe('correlate', () => {
  it('finds the strongest match that a direct search finds', () => {
    const sound = fc.array(fc.integer({ min: -32_768, max: 32_767 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(sound, sound, (reference, heard) => {
        const offsets = Array.from({ length: reference.length + heard.length - 1 }, (_, i) => i + 1 - reference.length);
        const all = offsets.map((offset) => slowly(reference, heard, offset));
        const best = Math.max(0, ...all);
        const inverted = Math.max(0, ...all.map((value) => -value));
        const wanted = inverted > best * 1.1 ? -inverted : best;
        expect(correlate(Int16Array.from(reference), Int16Array.from(heard)).correlation).toBeCloseTo(wanted, 5);
      }),
    );
  });

  it('finds speech in what was heard of it after Opus, at the delay of the coder', () => {
    const heard = sequence(silence(700), throughOpus(speech), silence(300));
    const { correlation, offsetSamples } = correlate(speech, heard);
    expect(correlation).toBeGreaterThan(0.97);
    expect(offsetSamples).toBe(700 * 24 + 60);
  });

  it('does not mind loudness, and says when the polarity is turned over', () => {
    const quiet = speech.map((sample) => sample / 8);
    expect(correlate(speech, quiet).correlation).toBeGreaterThan(0.999);
    expect(
      correlate(
        speech,
        quiet.map((sample) => -sample),
      ).correlation,
    ).toBeLessThan(-0.999);
  });

  it('tells other speech from the same', () => {
    expect(Math.abs(correlate(speech, throughOpus(other)).correlation)).toBeLessThan(0.6);
    expect(Math.abs(correlate(speech, noise(speech.length, 8000)).correlation)).toBeLessThan(0.1);
  });

  it('counts what is missing: a beginning, a gap, a slip in time', () => {
    const { length } = speech;
    expect(correlate(speech, speech.subarray(12_000)).offsetSamples).toBe(-12_000);
    const gap = Int16Array.from(speech).fill(0, length / 4, length / 2);
    expect(correlate(speech, gap).correlation).toBeLessThan(0.95);
    const slip = sequence(speech.subarray(0, length / 2), silence(20), speech.subarray(length / 2));
    expect(correlate(speech, slip).correlation).toBeLessThan(0.95);
  });

  it('looks no further than it is told', () => {
    const late = sequence(silence(500), speech);
    expect(correlate(speech, late, { maxOffsetMs: 500 })).toMatchObject({ offsetSamples: 12_000 });
    expect(correlate(speech, late, { maxOffsetMs: 400 }).correlation).toBeLessThan(0.7);
  });

  it('finds nothing in silence, or in nothing', () => {
    expect(correlate(silence(100), speech)).toEqual({ correlation: 0, offsetSamples: 0 });
    expect(correlate(speech, silence(100))).toEqual({ correlation: 0, offsetSamples: 0 });
    expect(correlate(speech, new Int16Array(0))).toEqual({ correlation: 0, offsetSamples: 0 });
  });

  it('takes two sounds of 30 s in a few seconds at most', () => {
    const long = noise(24_000 * 30, 10_000);
    const startedAtMs = performance.now();
    expect(correlate(long, long).correlation).toBeCloseTo(1);
    expect(performance.now() - startedAtMs).toBeLessThan(6000);
  });
});
