import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { concatSamples, mixToMono, toFloat32, toInt16 } from '../../src/audio/pcm.ts';

it('brings 16-bit samples back from float exactly', () => {
  fc.assert(
    fc.property(fc.int16Array(), (samples) => {
      expect(toInt16(toFloat32(samples))).toEqual(samples);
    }),
  );
});

it('clips what is too loud and takes NaN for silence', () => {
  expect([...toInt16(Float32Array.of(2, -2, 1, NaN))]).toEqual([32_767, -32_768, 32_767, 0]);
});

it('mixes channels to their mean', () => {
  expect([...mixToMono([Float32Array.of(1, 0.5), Float32Array.of(0, 0.5, 1)])]).toEqual([0.5, 0.5, 0.5]);
  expect(mixToMono([])).toHaveLength(0);
});

it('puts pieces one after the other', () => {
  expect([...concatSamples([Int16Array.of(1), Int16Array.of(), Int16Array.of(2, 3)])]).toEqual([1, 2, 3]);
});
