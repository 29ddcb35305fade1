import { describe, expect, test } from 'vitest';

import { FRAME_SAMPLES } from '../../src/audio/frame.ts';
import { decodeBase64, PcmFramer } from '../../src/model/pcm.ts';

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

describe('framing', () => {
  const pcm = Int16Array.from({ length: FRAME_SAMPLES * 3 + 100 }, (_, index) => ((index * 7919) % 65_536) - 32_768);
  const bytes = new Uint8Array(pcm.buffer);

  test.each([1, 3, 959, 960, 961, 100_000])('pieces of %i bytes give the same frames', (size) => {
    const framer = new PcmFramer();
    const frames = [];
    for (let offset = 0; offset < bytes.length; offset += size) {
      frames.push(...framer.push(bytes.subarray(offset, offset + size)));
    }
    expect(framer.splitsSample).toBe(false);
    const last = framer.flush();
    if (last !== undefined) frames.push(last);

    expect(frames.map((frame) => frame.length)).toEqual([480, 480, 480, 480]);
    const joined = frames.flatMap((frame) => [...frame]);
    expect(joined.slice(0, pcm.length)).toEqual([...pcm]);
    expect(joined.slice(pcm.length).every((sample) => sample === 0)).toBe(true);
  });

  test('a dangling byte is noticed', () => {
    const framer = new PcmFramer();
    expect([...framer.push(bytes.subarray(0, 961))]).toHaveLength(1);
    expect(framer.splitsSample).toBe(true);
  });

  test('nothing gives nothing', () => {
    expect(new PcmFramer().flush()).toBeUndefined();
  });
});
