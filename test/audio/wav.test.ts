import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { toInt16 } from '../../src/audio/pcm.ts';
import { decodeWav, encodeWav, WavError, wavInfo } from '../../src/audio/wav.ts';

interface Header {
  tag?: number;
  channels?: number;
  rateHz?: number;
  bits?: number;
  /** Extra bytes of the format chunk. */
  extension?: Buffer;
  /** Chunks between format and data. */
  between?: Buffer;
  declaredBytes?: number;
  magic?: string;
}

function chunk(id: string, body: Buffer, declared = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 'latin1');
  head.writeUInt32LE(declared, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

function wav(data: Buffer, header: Header = {}): Buffer {
  const { tag = 1, channels = 1, rateHz = 24_000, bits = 16, extension = Buffer.alloc(0), magic = 'RIFF' } = header;
  const format = Buffer.alloc(16);
  format.writeUInt16LE(tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rateHz, 4);
  format.writeUInt16LE((bits / 8) * channels, 12);
  format.writeUInt16LE(bits, 14);
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    chunk('fmt ', Buffer.concat([format, extension])),
    header.between ?? Buffer.alloc(0),
    chunk('data', data, header.declaredBytes),
  ]);
  return chunk(magic, body);
}

function problemOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof WavError) return error.problem;
    throw error;
  }
  return 'none';
}

const SOME_SAMPLES = Buffer.from(Int16Array.of(0, 16_384, -32_768, 32_767).buffer);
const AS_FLOATS = [0, 0.5, -1, 32_767 / 32_768];

describe('encodeWav', () => {
  it('writes the canonical 44-byte header', () => {
    expect(Buffer.from(encodeWav(Int16Array.of(1, -2), 16_000)).toString('hex')).toBe(
      [
        '52494646',
        '28000000',
        '57415645', // RIFF, 40 bytes follow, WAVE
        '666d7420',
        '10000000',
        '0100',
        '0100',
        '803e0000',
        '007d0000',
        '0200',
        '1000', // fmt: PCM, mono, 16 kHz, 16 bits
        '64617461',
        '04000000',
        '0100',
        'feff', // data
      ].join(''),
    );
  });

  it('is undone by decodeWav, whatever the samples', () => {
    fc.assert(
      fc.property(fc.int16Array({ minLength: 1 }), fc.integer({ min: 4000, max: 384_000 }), (samples, rateHz) => {
        const { sampleRateHz, channels } = decodeWav(encodeWav(samples, rateHz));
        expect(sampleRateHz).toBe(rateHz);
        expect(channels.map((channel) => toInt16(channel))).toEqual([samples]);
      }),
    );
  });
});

describe('decodeWav', () => {
  it.each([
    ['u8', { bits: 8 }, Buffer.of(128, 192, 0, 255), [0, 0.5, -1, 127 / 128]],
    ['s16', {}, SOME_SAMPLES, AS_FLOATS],
    ['s24', { bits: 24 }, Buffer.from('000000000040000080ffff7f', 'hex'), [0, 0.5, -1, 8_388_607 / 8_388_608]],
    ['s32', { bits: 32 }, Buffer.from(Int32Array.of(0, 2 ** 30, -(2 ** 31)).buffer), [0, 0.5, -1]],
    ['f32', { tag: 3, bits: 32 }, Buffer.from(Float32Array.of(0, 0.5, -7, NaN).buffer), [0, 0.5, -1, 0]],
    ['f64', { tag: 3, bits: 64 }, Buffer.from(Float64Array.of(0.25, Infinity, -0.5).buffer), [0.25, 1, -0.5]],
    // The ends and the middle of the tables in ITU-T G.711, in 16 bits.
    ['a-law', { tag: 6, bits: 8 }, Buffer.of(0xd5, 0x55, 0xaa, 0x2a), [8, -8, 32_256, -32_256].map((x) => x / 32_768)],
    ['mu-law', { tag: 7, bits: 8 }, Buffer.of(0xff, 0x7f, 0x80, 0x00), [0, 0, 32_124, -32_124].map((x) => x / 32_768)],
  ])('reads %s', (coding, header, data, expected) => {
    const file = wav(data, header);
    expect(wavInfo(file).coding).toBe(coding);
    // `+ 0`: negative zero is zero.
    expect([...(decodeWav(file).channels[0] ?? [])].map((sample) => sample + 0)).toEqual(
      expected.map((sample) => Math.fround(sample)),
    );
  });

  it('takes channels apart', () => {
    const { channels } = decodeWav(wav(SOME_SAMPLES, { channels: 2 }));
    expect(channels.map((channel) => [...channel])).toEqual([
      [0, -1],
      [0.5, 32_767 / 32_768],
    ]);
  });

  it('reads the extensible format by its sub-format', () => {
    const extension = Buffer.alloc(24);
    extension.writeUInt16LE(22, 0);
    extension.writeUInt16LE(3, 8);
    const file = wav(Buffer.from(Float32Array.of(0.5).buffer), { tag: 0xfffe, bits: 32, extension });
    expect(wavInfo(file).coding).toBe('f32');
    expect(problemOf(() => wavInfo(wav(SOME_SAMPLES, { tag: 0xfffe })))).toBe('damaged');
  });

  it('passes over other chunks, odd ones with their padding', () => {
    const file = wav(SOME_SAMPLES, { between: chunk('LIST', Buffer.from('odd')) });
    expect([...(decodeWav(file).channels[0] ?? [])]).toEqual(AS_FLOATS);
  });

  it.each([0, 0xffff_ffff, 1_000_000])('takes a data size of %i for "until the end"', (declaredBytes) => {
    const info = wavInfo(wav(SOME_SAMPLES, { declaredBytes }));
    expect(info).toMatchObject({ frames: 4, sizeIsTrue: false });
    expect(info.durationMs).toBeCloseTo(4 / 24);
  });

  it('reads RF64, whose sizes are elsewhere', () => {
    const file = wav(SOME_SAMPLES, {
      magic: 'RF64',
      declaredBytes: 0xffff_ffff,
      between: chunk('ds64', Buffer.alloc(28)),
    });
    expect([...(decodeWav(file).channels[0] ?? [])]).toEqual(AS_FLOATS);
  });

  it('drops a sample that is cut in the middle', () => {
    expect(wavInfo(wav(SOME_SAMPLES).subarray(0, -1)).frames).toBe(3);
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'damaged'],
    ['another kind of file', Buffer.from('OggS'.repeat(20)), 'damaged'],
    ['a cut header', wav(SOME_SAMPLES).subarray(0, 30), 'damaged'],
    ['no data chunk', wav(SOME_SAMPLES).subarray(0, 36), 'damaged'],
    ['an empty data chunk', wav(Buffer.alloc(0)), 'empty'],
    [
      'an empty data chunk before another',
      Buffer.concat([wav(Buffer.alloc(0)), chunk('LIST', Buffer.alloc(8))]),
      'empty',
    ],
    ['a rate of 1 Hz', wav(SOME_SAMPLES, { rateHz: 1 }), 'sample-rate'],
    ['a rate of 4 GHz', wav(SOME_SAMPLES, { rateHz: 4_000_000_000 }), 'sample-rate'],
    ['no channels', wav(SOME_SAMPLES, { channels: 0 }), 'channels'],
    ['255 channels', wav(SOME_SAMPLES, { channels: 255 }), 'channels'],
    ['ADPCM', wav(SOME_SAMPLES, { tag: 2, bits: 4 }), 'unsupported'],
  ])('refuses %s', (_, file, problem) => {
    expect(problemOf(() => decodeWav(file))).toBe(problem);
  });

  it('answers any damage with samples or a WavError', () => {
    const good = wav(SOME_SAMPLES, { channels: 2, between: chunk('LIST', Buffer.from('info')) });
    const places = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(places, fc.nat(good.length), (changes, length) => {
        const file = Buffer.from(good);
        for (const [at, value] of changes) file.writeUInt8(value, at);
        problemOf(() => decodeWav(file.subarray(0, length)));
      }),
      { numRuns: 2000 },
    );
  });
});
