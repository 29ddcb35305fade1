import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { resample, Resampler } from '../../src/audio/resample.ts';
import { sine } from './sounds.ts';

const RATES = [8000, 16_000, 22_050, 24_000, 44_100, 48_000];

/** Signal to noise in dB, without the ends, where the filter meets nothing. */
function snrDb(actual: Float32Array, wanted: Float32Array): number {
  let signal = 0;
  let error = 0;
  for (let i = 500; i < wanted.length - 500; i++) {
    signal += wanted[i]! ** 2;
    error += (wanted[i]! - actual[i]!) ** 2;
  }
  return 10 * Math.log10(signal / error);
}

describe('resample', () => {
  it.each([
    [48_000, 24_000, 130],
    [24_000, 48_000, 130],
    [44_100, 24_000, 110],
    [16_000, 24_000, 90],
    [8000, 24_000, 120],
    [24_000, 16_000, 90],
    // Rates without a common divisor are met to a millionth, which a second of sound shows as this.
    [44_101, 24_000, 55],
  ])('carries a tone from %i Hz to %i Hz in its place, with %i dB', (fromHz, toHz, db) => {
    const actual = resample(sine(1000, fromHz, 0.5, fromHz), fromHz, toHz);
    expect(actual).toHaveLength(toHz);
    expect(snrDb(actual, sine(1000, toHz, 0.5, toHz))).toBeGreaterThan(db);
  });

  it('keeps out what the lower rate cannot carry', () => {
    const output = resample(sine(14_500, 48_000, 0.5, 48_000), 48_000, 24_000).subarray(500, -500);
    expect(Math.max(...output.map(Math.abs))).toBeLessThan(0.5 * 10 ** (-90 / 20));
  });

  it('gives the exact length, and the same whether the sound comes whole or in pieces', () => {
    const rate = fc.constantFrom(...RATES);
    fc.assert(
      fc.property(rate, rate, fc.nat(2000), fc.integer({ min: 1, max: 700 }), (fromHz, toHz, samples, pieceSamples) => {
        const input = sine(700, samples, 0.3, fromHz);
        const whole = resample(input, fromHz, toHz);
        expect(whole).toHaveLength(Math.ceil((samples * toHz) / fromHz));

        const resampler = new Resampler(fromHz, toHz);
        const pieces: number[] = [];
        for (let at = 0; at < samples; at += pieceSamples) {
          pieces.push(...resampler.push(input.subarray(at, at + pieceSamples)));
        }
        pieces.push(...resampler.flush());
        if (fromHz !== toHz) expect(Float32Array.from(pieces)).toEqual(whole);
      }),
    );
  });

  it('stays bounded at rates that fit badly', () => {
    const startedAtMs = performance.now();
    expect(resample(new Float32Array(383_999), 383_999, 24_000)).toHaveLength(24_000);
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
  });

  it('refuses rates that are none', () => {
    expect(() => new Resampler(0, 24_000)).toThrow(RangeError);
    expect(() => new Resampler(24_000, NaN)).toThrow(RangeError);
  });
});
