import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Mp3Encoder } from '../../src/audio/mp3.ts';
import { findMp3 } from '../../src/files/mp3-frames.ts';

/** Frames with this header and nothing in them. */
function frames(header: string, frameBytes: number, count: number): Buffer {
  const frame = Buffer.alloc(frameBytes);
  frame.write(header, 'hex');
  return Buffer.concat(Array.from({ length: count }, () => frame));
}

/** 26.12 ms each: MPEG-1 layer III, 128 kbit/s, 44.1 kHz, joint stereo. */
const TEN_FRAMES = frames('fffb9064', 417, 10);

function id3(bodyBytes: number): Buffer {
  const tag = Buffer.alloc(10 + bodyBytes, 0xff);
  tag.write('ID3\x04\0\0', 'latin1');
  tag.set([0, 0, bodyBytes >> 7, bodyBytes & 0x7f], 6);
  return tag;
}

describe('findMp3', () => {
  it.each([
    ['MPEG-1, 128 kbit/s, 44.1 kHz', 'fffb9064', 417, 1152 / 44_100, 44_100, 2],
    ['MPEG-1, 320 kbit/s, 48 kHz, mono', 'fffbe4c4', 960, 1152 / 48_000, 48_000, 1],
    ['MPEG-2, 64 kbit/s, 24 kHz, mono', 'fff384c4', 192, 576 / 24_000, 24_000, 1],
    ['MPEG-2.5, 16 kbit/s, 8 kHz, mono', 'ffe328c4', 144, 576 / 8000, 8000, 1],
  ])('measures %s', (_, header, frameBytes, seconds, sampleRateHz, channels) => {
    const file = frames(header, frameBytes, 100);
    const found = findMp3(file);
    expect(found).toMatchObject({ start: 0, end: file.length, sampleRateHz, channels, whole: true });
    expect(found?.durationMs).toBeCloseTo(seconds * 100_000, 6);
  });

  it('measures what our own encoder makes', async () => {
    const encoder = (await Mp3Encoder.load())();
    const file = Buffer.concat([encoder.encode(new Int16Array(24_000 * 2)), encoder.finish()]);
    const found = findMp3(file);
    expect(found).toMatchObject({ start: 0, end: file.length, sampleRateHz: 24_000, channels: 1, whole: true });
    expect(found?.durationMs).toBeGreaterThan(2000);
    expect(found?.durationMs).toBeLessThan(2100);
  });

  it('passes over tags, however large, and padding', () => {
    const [start, end] = [10_010, 10_010 + TEN_FRAMES.length];
    const tag = Buffer.alloc(128);
    tag.write('TAG');
    for (const after of [tag, Buffer.from('APETAGEX and more'), Buffer.alloc(1000), TEN_FRAMES.subarray(0, 200)]) {
      expect(findMp3(Buffer.concat([id3(10_000), TEN_FRAMES, after]))).toMatchObject({ start, end, whole: true });
    }
  });

  it('does not call a file whole that holds anything else', () => {
    const junk = Buffer.from('junk'.repeat(50));
    expect(findMp3(Buffer.concat([TEN_FRAMES, junk, TEN_FRAMES]))).toMatchObject({ end: 4170, whole: false });
    expect(findMp3(Buffer.concat([junk, TEN_FRAMES]))).toMatchObject({ start: 200, whole: false });
    const mixed = Buffer.concat([TEN_FRAMES, frames('fffbe4c4', 960, 3)]);
    expect(findMp3(mixed)).toMatchObject({ whole: false });
  });

  it('does not believe a sync word that stands alone, a tag without frames, or one that claims more than there is', () => {
    expect(findMp3(Buffer.concat([TEN_FRAMES.subarray(0, 417), Buffer.alloc(5000)]))).toBeUndefined();
    expect(findMp3(id3(5000))).toBeUndefined();
    const lying = id3(16);
    lying.fill(0x7f, 6, 10);
    expect(findMp3(lying)).toBeUndefined();
    expect(findMp3(Buffer.alloc(0))).toBeUndefined();
  });

  it('stays within the file and in bounded time, whatever is in it', () => {
    const byte = fc.oneof(fc.constantFrom(0xff, 0xfb, 0x90, 0x49, 0x44, 0x33), fc.nat(255));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 300 }), (values) => {
        const found = findMp3(Uint8Array.from(values));
        if (found) expect(found.start < found.end && found.end <= values.length).toBe(true);
      }),
    );
    const startedAtMs = performance.now();
    findMp3(Buffer.alloc(20_000_000, 'fffb9064', 'hex'));
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
  });
});
