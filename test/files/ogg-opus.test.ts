import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { muxOggOpus, oggChecksum } from '../../src/audio/ogg.ts';
import { correlate } from '../../src/audio/similarity.ts';
import { encodeVoiceMessage } from '../../src/audio/voice-message.ts';
import { openOggOpus } from '../../src/files/ogg-opus.ts';
import { noise, sequence, spoken } from '../audio/sounds.ts';
import { played, troubleWith } from './played.ts';

const play = (file: Uint8Array): Promise<Int16Array> => played(openOggOpus, file);
const troubleOf = (file: Uint8Array): Promise<string> => troubleWith(openOggOpus, file);

/** A file of these packets, 60 ms each. */
function fileOf(packets: Uint8Array[]): Buffer {
  const options = { preSkip: 312, packetSamples: 2880, sourceRateHz: 24_000 };
  return Buffer.from(muxOggOpus(packets, { ...options, samples: packets.length * 2880 - 312 }));
}

/** 60 ms of nothing in one byte: SILK, narrow band. */
const TINY_PACKET = Uint8Array.of(0x18);

/** The same packets with at most so many lacing values a page, so that packets go on from one page to the next. */
function spread(file: Buffer, lacingPerPage: number): Buffer {
  const pages: Buffer[] = [];
  let number = 0;
  for (let at = 0; at < file.length;) {
    const count = file.readUInt8(at + 26);
    const lacing = file.subarray(at + 27, at + 27 + count);
    let body = at + 27 + count;
    for (let from = 0; from < count; from += lacingPerPage) {
      const part = lacing.subarray(from, from + lacingPerPage);
      const bytes = part.reduce((sum, length) => sum + length, 0);
      const page = Buffer.concat([file.subarray(at, at + 27), part, file.subarray(body, body + bytes)]);
      const last = from + lacingPerPage >= count;
      const continued = from > 0 && lacing[from - 1] === 255 ? 1 : 0;
      page.writeUInt8(
        (file.readUInt8(at + 5) & (last ? 4 : 0)) | (from === 0 ? file.readUInt8(at + 5) & 2 : 0) | continued,
        5,
      );
      if (!last) page.writeBigInt64LE(-1n, 6);
      page.writeUInt32LE(number++, 18);
      page.writeUInt8(part.length, 26);
      page.writeUInt32LE(0, 22);
      page.writeUInt32LE(oggChecksum(page), 22);
      pages.push(page);
      body += bytes;
    }
    at = body;
  }
  return Buffer.concat(pages);
}

describe('openOggOpus', () => {
  it.each([1, 323, 324, 325, 480, 24_000, 71_999])(
    'plays a voice message of %i samples to the sample',
    async (length) => {
      expect(await play(encodeVoiceMessage(noise(length, 5000)).file)).toHaveLength(length);
    },
  );

  it('plays what was spoken, from the first sample on', async () => {
    const speech = await spoken('What will the weather be like?');
    const { correlation, offsetSamples } = correlate(speech, await play(encodeVoiceMessage(speech).file));
    // At 32 kbit/s libopus codes speech by its parameters: the wave is like the spoken one, not the same.
    expect(correlation).toBeGreaterThan(0.85);
    expect(Math.abs(offsetSamples)).toBeLessThan(24);
  });

  it('plays packets that go on from one page to the next, none lost', async () => {
    const file = Buffer.from(encodeVoiceMessage(noise(24_000, 20_000)).file);
    expect(await play(spread(file, 1))).toEqual(await play(file));
    const large = fileOf(Array.from({ length: 10 }, () => Buffer.concat([Uint8Array.of(0x18), Buffer.alloc(700)])));
    expect(await play(spread(large, 2))).toEqual(await play(large));
  });

  it('plays chained streams one after the other', async () => {
    const [first, second] = [noise(30_000, 5000), noise(20_001, 5000, 7)];
    const files = [first, second].map((samples) => Buffer.from(encodeVoiceMessage(samples).file));
    const chained = Buffer.concat(files.map((file, i) => withSerial(file, i + 1)));
    const whole = await play(chained);
    expect(whole).toHaveLength(50_001);
    expect(whole).toEqual(sequence(await play(files[0]!), await play(files[1]!)));
    const joined = Buffer.concat(files.map((file) => withSerial(file, 1)));
    expect(await play(joined), 'with the same serial number').toEqual(whole);
  });

  it('plays surround sound', async () => {
    const file = readFileSync(new URL('fixtures/speech.5.1.opus', import.meta.url));
    const speech = await spoken('Good morning.');
    expect(correlate(speech, await play(file)).correlation).toBeGreaterThan(0.95);
  });

  it('plays as much of a cut file as there is', async () => {
    const { file } = encodeVoiceMessage(noise(24_000 * 10, 5000));
    expect((await play(file.subarray(0, file.length / 2))).length).toBeGreaterThan(24_000 * 2);
  });

  it('goes on after a damaged page, whose time is silence', async () => {
    const file = Buffer.from(encodeVoiceMessage(noise(24_000 * 10, 5000)).file);
    const whole = await play(file);
    const at = file.indexOf('OggS', file.length / 2);
    const damages: ((copy: Buffer) => void)[] = [
      (copy) => void copy.write('Nope', at),
      // One bit among its packets: only the checksum tells.
      (copy) => void copy.writeUInt8(copy.readUInt8(at + 400) ^ 1, at + 400),
    ];
    for (const damage of damages) {
      const copy = Buffer.from(file);
      damage(copy);
      const heard = await play(copy);
      expect(heard).toHaveLength(whole.length);
      const silent = heard.filter((sample) => sample === 0).length - whole.filter((sample) => sample === 0).length;
      expect(Math.abs(silent - 24_000)).toBeLessThan(500);
    }
  });

  it('does not believe a granule position that the packets cannot bear out', async () => {
    const file = fileOf(Array.from({ length: 100 }, () => TINY_PACKET));
    for (const granule of [0n, 2n ** 62n, -1n]) {
      file.writeBigInt64LE(granule, file.lastIndexOf('OggS') + 6);
      expect(await play(resealed(file))).toHaveLength(100 * 1440 - 156);
    }
  });

  it('conceals a few damaged packets', async () => {
    const packets = Array.from({ length: 30 }, (_, i) => (i % 10 === 9 ? Uint8Array.of(0x1b) : TINY_PACKET));
    expect((await play(fileOf(packets))).length).toBeGreaterThan(27 * 1440 - 156);
  });

  it('gives up on a file of damaged packets, and on one of empty packets', async () => {
    const empty = Array.from({ length: 20_000 }, () => new Uint8Array(0));
    expect(await troubleOf(fileOf(empty))).toBe('damaged');
    expect(await troubleOf(fileOf(Array.from({ length: 20 }, () => Uint8Array.of(0x1b))))).toBe('damaged');
  });

  it('tells what else is wrong', async () => {
    const good = fileOf(Array.from({ length: 200 }, () => TINY_PACKET));
    expect(await troubleOf(good)).toBe('sound');
    const headOnly = good.subarray(0, good.indexOf('OggS', good.indexOf('OpusTags')));
    expect(await troubleOf(headOnly)).toBe('empty');
    const surround = Buffer.from(good);
    surround.writeUInt8(1, surround.indexOf('OpusHead') + 18);
    expect(await troubleOf(resealed(surround))).toBe('damaged');
    const crowded = Buffer.from(good);
    crowded.writeUInt8(255, crowded.indexOf('OpusHead') + 9);
    expect(await troubleOf(resealed(crowded))).toBe('channels');
    expect(await troubleOf(Buffer.from('OggS'))).toBe('damaged');
    expect(await troubleOf(Buffer.alloc(0))).toBe('damaged');
  });
});

function withSerial(file: Buffer, serial: number): Buffer {
  for (let at = 0; at >= 0; at = file.indexOf('OggS', at + 1)) file.writeUInt32LE(serial, at + 14);
  return resealed(file);
}

/** The file with right checksums. */
function resealed(file: Buffer): Buffer {
  for (let at = 0; at >= 0;) {
    const next = file.indexOf('OggS', at + 1);
    const page = file.subarray(at, next < 0 ? undefined : next);
    page.writeUInt32LE(0, 22);
    page.writeUInt32LE(oggChecksum(page), 22);
    at = next;
  }
  return file;
}
