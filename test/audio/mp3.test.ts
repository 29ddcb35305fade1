import { MPEGDecoder } from 'mpg123-decoder';
import { beforeAll, describe, expect, it } from 'vitest';

import { FRAME_SAMPLES } from '../../src/audio/frame.ts';
import { Framer } from '../../src/audio/framer.ts';
import { MP3_BYTES_PER_SECOND, MP3_DELAY_SAMPLES, Mp3Encoder, Mp3EncoderError } from '../../src/audio/mp3.ts';
import { toInt16 } from '../../src/audio/pcm.ts';
import { correlate } from '../../src/audio/similarity.ts';
import { noise, spoken } from './sounds.ts';

let createEncoder: () => Mp3Encoder;
let speech: Int16Array;
beforeAll(async () => {
  createEncoder = await Mp3Encoder.load();
  speech = await spoken('Good evening. What will the weather be like tomorrow?');
});

async function decode(mp3: Uint8Array): Promise<Int16Array> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const { channelData, sampleRate, errors } = decoder.decode(mp3);
  decoder.free();
  expect({ sampleRate, errors }).toEqual({ sampleRate: 24_000, errors: [] });
  return toInt16(channelData[0] ?? new Float32Array(0));
}

describe('Mp3Encoder', () => {
  it('is decoded to what was spoken, after the documented delay, at the promised size', async () => {
    const encoder = createEncoder();
    const spokenBytes = new Framer().push(speech).map((frame) => encoder.encode(frame));
    const rest = encoder.finish();
    const file = Buffer.concat([...spokenBytes, rest]);

    const { correlation, offsetSamples } = correlate(speech, await decode(file));
    expect(correlation).toBeGreaterThan(0.99);
    expect(offsetSamples).toBe(MP3_DELAY_SAMPLES);
    expect(file.length / (speech.length / 24_000) / MP3_BYTES_PER_SECOND).toBeCloseTo(1, 1);
    // Most of the file is there before the end of the turn: only a few frames of 24 ms are left.
    expect(rest.length).toBeLessThan(MP3_BYTES_PER_SECOND * 0.2);
  });

  it('has given all of it once 120 ms of silence have followed, and can go on', async () => {
    const encoder = createEncoder();
    const loud = noise(FRAME_SAMPLES * 5, 12_000);
    const frames = new Framer().push(Int16Array.from([...speech, ...loud])).map((frame) => encoder.encode(frame));
    const silence = Array.from({ length: 6 }, () => encoder.encode(new Int16Array(FRAME_SAMPLES)));
    const sofar = await decode(Buffer.concat([...frames, ...silence]));
    const end = correlate(loud.subarray(-2 * FRAME_SAMPLES), sofar);
    expect(end.correlation).toBeGreaterThan(0.9);
    expect(end.offsetSamples + 2 * FRAME_SAMPLES).toBeLessThanOrEqual(sofar.length);
    expect(encoder.encode(loud.subarray(0, FRAME_SAMPLES))).toBeDefined();
  });

  it('leaves nothing of one file to the next', () => {
    const file = (): Buffer => {
      const encoder = createEncoder();
      return Buffer.concat([encoder.encode(speech), encoder.finish()]);
    };
    const first = file();
    const dropped = createEncoder();
    dropped.encode(noise(FRAME_SAMPLES * 7, 9000));
    dropped[Symbol.dispose]();
    expect(file()).toEqual(first);
  });

  it('runs many times at once without mixing', () => {
    const sounds = Array.from({ length: 5 }, (_, i) => noise(FRAME_SAMPLES * 20, 9000, i + 1));
    const alone = sounds.map((sound) => {
      const encoder = createEncoder();
      return Buffer.concat([encoder.encode(sound), encoder.finish()]);
    });
    const encoders = sounds.map((sound) => ({ encoder: createEncoder(), frames: new Framer().push(sound) }));
    const chunks: Uint8Array[][] = sounds.map(() => []);
    for (let frame = 0; frame < 20; frame++) {
      for (const [i, { encoder, frames }] of encoders.entries()) {
        chunks[i]?.push(encoder.encode(frames[frame] ?? new Int16Array(0)));
      }
    }
    const together = encoders.map(({ encoder }, i) => Buffer.concat([...(chunks[i] ?? []), encoder.finish()]));
    expect(together.map((file) => file.toString('base64'))).toEqual(alone.map((file) => file.toString('base64')));
  });

  it('makes a file of nothing that decoders take', async () => {
    expect(Math.max(...(await decode(createEncoder().finish())).map(Math.abs), 0)).toBe(0);
  });

  it('is used up when it is finished', () => {
    const encoder = createEncoder();
    encoder.finish();
    expect(() => encoder.encode(new Int16Array(FRAME_SAMPLES))).toThrow(Mp3EncoderError);
    expect(() => encoder.finish()).toThrow(Mp3EncoderError);
  });
});
