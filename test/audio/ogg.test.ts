import { Readable } from 'node:stream';

import * as fc from 'fast-check';
import { opus } from 'prism-media';
import { describe, expect, it } from 'vitest';

import { muxOggOpus, oggChecksum } from '../../src/audio/ogg.ts';

const OPTIONS = { preSkip: 312, packetSamples: 960, sourceRateHz: 24_000 };

/** Packets as another library's demuxer takes them out. */
async function demux(file: Uint8Array): Promise<Buffer[]> {
  return await Readable.from([Buffer.from(file)])
    .compose(new opus.OggDemuxer())
    .toArray();
}

/** Page headers, with their checksum verified. */
function pagesOf(file: Uint8Array): { flags: number; granule: number; sequence: number }[] {
  const pages = [];
  const bytes = Buffer.from(file);
  for (let at = 0; at < bytes.length;) {
    const segments = bytes.readUInt8(at + 26);
    const bodyBytes = bytes.subarray(at + 27, at + 27 + segments).reduce((sum, length) => sum + length, 0);
    const page = Buffer.from(bytes.subarray(at, at + 27 + segments + bodyBytes));
    const checksum = page.readUInt32LE(22);
    page.writeUInt32LE(0, 22);
    expect(oggChecksum(page)).toBe(checksum);
    pages.push({
      flags: page.readUInt8(5),
      granule: Number(page.readBigInt64LE(6)),
      sequence: page.readUInt32LE(18),
    });
    at += page.length;
  }
  return pages;
}

describe('oggChecksum', () => {
  it('is the CRC with polynomial 04C11DB7 and nothing inverted', () => {
    // The catalogued check value of CRC-32/CKSUM, without its final inversion.
    expect(oggChecksum(Buffer.from('123456789'))).toBe(~0x765e_7680 >>> 0);
  });
});

describe('muxOggOpus', () => {
  it('keeps every packet, and orders and closes the pages', async () => {
    const packet = fc.uint8Array({ minLength: 1, maxLength: 1275 }).filter(([first]) => first !== 0x4f);
    await fc.assert(
      fc.asyncProperty(fc.array(packet, { minLength: 1, maxLength: 120 }), async (packets) => {
        const samples = packets.length * 960 - 312;
        const file = muxOggOpus(packets, { ...OPTIONS, samples });
        expect(await demux(file)).toEqual(packets.map((bytes) => Buffer.from(bytes)));

        const pages = pagesOf(file);
        expect(pages.map(({ sequence }) => sequence)).toEqual(pages.map((_, index) => index));
        expect(pages.map(({ flags }) => flags)).toEqual(
          pages.map((_, i) => (i === 0 ? 2 : i === pages.length - 1 ? 4 : 0)),
        );
        expect(pages.at(-1)?.granule).toBe(312 + samples);
      }),
      { numRuns: 40 },
    );
  });

  it('counts 50 packets a page and trims the end to the sample', () => {
    const packets = Array.from({ length: 101 }, () => Uint8Array.of(0xf8, 0xff, 0xfe));
    const pages = pagesOf(muxOggOpus(packets, { ...OPTIONS, samples: 96_001 }));
    expect(pages.map(({ granule }) => granule)).toEqual([0, 0, 48_000, 96_000, 96_313]);
  });

  it('says at the head what a decoder must know', () => {
    const file = Buffer.from(muxOggOpus([Uint8Array.of(1)], { ...OPTIONS, samples: 600 }));
    const head = file.subarray(file.indexOf('OpusHead'));
    expect([head.readUInt8(8), head.readUInt8(9), head.readUInt16LE(10), head.readUInt32LE(12)]).toEqual([
      1, 1, 312, 24_000,
    ]);
  });

  it('refuses to promise more than the packets hold', () => {
    expect(() => muxOggOpus([Uint8Array.of(1)], { ...OPTIONS, samples: 649 })).toThrow(RangeError);
    expect(() => muxOggOpus([new Uint8Array(66_000)], { ...OPTIONS, samples: 600 })).toThrow(RangeError);
  });
});
