import { describe, expect, it } from 'vitest';

import { muxOggOpus } from '../../src/audio/ogg.ts';
import { correlate } from '../../src/audio/similarity.ts';
import { encodeVoiceMessage } from '../../src/audio/voice-message.ts';
import { AttachmentError } from '../../src/files/attachment-error.ts';
import { decodeOggOpus } from '../../src/files/ogg-opus.ts';
import { noise, spoken } from '../audio/sounds.ts';

const MINUTE_MS = 60_000;

async function kindOf(file: Uint8Array, maxDurationMs = MINUTE_MS): Promise<string> {
  try {
    await decodeOggOpus(file, maxDurationMs);
    return 'sound';
  } catch (error) {
    if (error instanceof AttachmentError) return error.kind;
    throw error;
  }
}

/** A file of these packets, 60 ms each. */
function fileOf(packets: Uint8Array[]): Buffer {
  const options = { preSkip: 312, packetSamples: 2880, sourceRateHz: 24_000 };
  return Buffer.from(muxOggOpus(packets, { ...options, samples: packets.length * 2880 - 312 }));
}

/** 60 ms of nothing in one byte: SILK, narrow band. */
const TINY_PACKET = Uint8Array.of(0x18);

describe('decodeOggOpus', () => {
  it.each([1, 323, 324, 325, 480, 24_000, 71_999])(
    'plays a voice message of %i samples to the sample',
    async (length) => {
      const { samples, cut } = await decodeOggOpus(encodeVoiceMessage(noise(length, 5000)).file, MINUTE_MS);
      expect({ length: samples.length, cut }).toEqual({ length, cut: false });
    },
  );

  it('plays what was spoken, from the first sample on', async () => {
    const speech = await spoken('What will the weather be like?');
    const { samples } = await decodeOggOpus(encodeVoiceMessage(speech).file, MINUTE_MS);
    const { correlation, offsetSamples } = correlate(speech, samples);
    // At 32 kbit/s libopus codes speech by its parameters: the wave is like the spoken one, not the same.
    expect(correlation).toBeGreaterThan(0.85);
    expect(Math.abs(offsetSamples)).toBeLessThan(24);
  });

  it('stops at the duration it is told, and says so', async () => {
    const { file } = encodeVoiceMessage(noise(24_000 * 4, 5000));
    const cut = await decodeOggOpus(file, 1000);
    expect([cut.samples.length, cut.cut]).toEqual([24_000, true]);
    const whole = await decodeOggOpus(file, 4000);
    expect([whole.samples.length, whole.cut]).toEqual([96_000, false]);
  });

  it('plays as much of a cut file as there is', async () => {
    const { file } = encodeVoiceMessage(noise(24_000 * 10, 5000));
    const { samples } = await decodeOggOpus(file.subarray(0, file.length / 2), MINUTE_MS);
    expect(samples.length).toBeGreaterThan(24_000 * 2);
  });

  it('does not believe a granule position that the packets cannot bear out', async () => {
    const file = fileOf(Array.from({ length: 100 }, () => TINY_PACKET));
    for (const granule of [0n, 2n ** 62n, -1n]) {
      file.writeBigInt64LE(granule, file.lastIndexOf('OggS') + 6);
      const { samples } = await decodeOggOpus(file, MINUTE_MS);
      expect(samples).toHaveLength(100 * 1440 - 156);
    }
  });

  it('is not blown up by tiny packets of long silence', async () => {
    const bomb = fileOf(Array.from({ length: 50_000 }, () => TINY_PACKET)); // 50 minutes in 100 kB
    const { samples, cut } = await decodeOggOpus(bomb, MINUTE_MS);
    expect([samples.length, cut]).toEqual([24_000 * 60, true]);
  });

  it('conceals a few damaged packets', async () => {
    const packets = Array.from({ length: 30 }, (_, i) => (i % 10 === 9 ? Uint8Array.of(0x1b) : TINY_PACKET));
    const { samples } = await decodeOggOpus(fileOf(packets), MINUTE_MS);
    expect(samples.length).toBeGreaterThan(27 * 1440 - 156);
  });

  it('gives up on a file of damaged packets, and on one of empty packets', async () => {
    const empty = Array.from({ length: 20_000 }, () => new Uint8Array(0));
    expect(await kindOf(fileOf(empty))).toBe('damaged');
    expect(await kindOf(fileOf(Array.from({ length: 20 }, () => Uint8Array.of(0x1b))))).toBe('damaged');
  });

  it('tells what else is wrong', async () => {
    const good = fileOf(Array.from({ length: 200 }, () => TINY_PACKET));
    expect(await kindOf(good)).toBe('sound');

    const broken = Buffer.from(good);
    broken.write('Nope', broken.lastIndexOf('OggS'));
    expect(await kindOf(broken)).toBe('damaged');

    const headOnly = good.subarray(0, good.indexOf('OggS', good.indexOf('OpusTags')));
    expect(await kindOf(headOnly)).toBe('empty');

    const surround = Buffer.from(good);
    surround.writeUInt8(1, surround.indexOf('OpusHead') + 18);
    expect(await kindOf(surround)).toBe('unsupported');

    const spanning = Buffer.from(good);
    spanning.writeUInt8(1, spanning.lastIndexOf('OggS') + 5);
    expect(await kindOf(spanning)).toBe('unsupported');

    expect(await kindOf(Buffer.from('OggS'))).toBe('damaged');
    expect(await kindOf(Buffer.alloc(0))).toBe('damaged');
  });
});
