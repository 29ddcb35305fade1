import { describe, expect, test } from 'vitest';

import { decodeBase64, SampleReader } from '../../src/model/pcm.ts';

describe('strict base64', () => {
  test('decodes every padding', () => {
    for (const length of [0, 1, 2, 3, 4, 959, 960]) {
      const bytes = Buffer.from(Array.from({ length }, (_, index) => index % 256));
      expect(decodeBase64(bytes.toString('base64'))).toEqual(bytes);
    }
  });

  test.each(['<html>502</html>', 'AAA', 'AAAA=', '====', 'AA==AAAA', 'AA AA', 'AAA*', 'null'.slice(0, 3)])(
    'refuses %j',
    (text) => expect(decodeBase64(text)).toBeUndefined(),
  );
});

describe('samples', () => {
  const pcm = Int16Array.from({ length: 5_000 }, (_, index) => ((index * 7919) % 65_536) - 32_768);
  const bytes = new Uint8Array(pcm.buffer);

  test.each([1, 2, 3, 959, 961, 100_000])('pieces of %i bytes give the same samples', (size) => {
    const reader = new SampleReader();
    const samples: number[] = [];
    for (let offset = 0; offset < bytes.length; offset += size) {
      samples.push(...reader.read(bytes.subarray(offset, offset + size)));
      samples.push(...reader.read(new Uint8Array(0)));
    }
    expect(samples).toEqual([...pcm]);
    expect(reader.splitsSample).toBe(false);
  });

  test('a dangling byte is noticed', () => {
    const reader = new SampleReader();
    expect(reader.read(bytes.subarray(0, 961))).toHaveLength(480);
    expect(reader.splitsSample).toBe(true);
    expect(reader.read(new Uint8Array(0))).toHaveLength(0);
    expect(reader.splitsSample).toBe(true);
  });
});
