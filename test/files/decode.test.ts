import { MPEGDecoder } from 'mpg123-decoder';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { MP3_DELAY_SAMPLES, Mp3Encoder } from '../../src/audio/mp3.ts';
import { toFloat32, toInt16 } from '../../src/audio/pcm.ts';
import { resample } from '../../src/audio/resample.ts';
import { correlate } from '../../src/audio/similarity.ts';
import { encodeVoiceMessage } from '../../src/audio/voice-message.ts';
import { decodeWav, encodeWav } from '../../src/audio/wav.ts';
import { AttachmentError } from '../../src/files/attachment-error.ts';
import { decodeAttachment, type DecodedAttachment, type DecodeOptions } from '../../src/files/decode.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { noise, silence, spoken } from '../audio/sounds.ts';
import { ManualClock } from '../support/manual-clock.ts';

let speech: Int16Array;
let mp3: Buffer;
beforeAll(async () => {
  speech = await spoken('What will the weather be like?');
  const encoder = (await Mp3Encoder.load())();
  mp3 = Buffer.concat([encoder.encode(speech), encoder.finish()]);
});

function decode(bytes: Uint8Array, options: Partial<DecodeOptions> = {}): Promise<DecodedAttachment> {
  return decodeAttachment(bytes, {
    clock: monotonicClock,
    signal: new AbortController().signal,
    ffmpeg: '/nowhere/ffmpeg',
    ...options,
  });
}

async function kindOf(bytes: Uint8Array, options: Partial<DecodeOptions> = {}): Promise<string> {
  try {
    await decode(bytes, options);
    return 'sound';
  } catch (error) {
    if (error instanceof AttachmentError) return error.kind;
    throw error;
  }
}

/** What the model hears, 24 kHz mono. */
async function hear({ speech: { format, data } }: DecodedAttachment): Promise<Int16Array> {
  if (format === 'wav') return toInt16(decodeWav(data).channels[0] ?? new Float32Array(0));
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const { channelData, sampleRate } = decoder.decode(data);
  decoder.free();
  return toInt16(resample(channelData[0] ?? new Float32Array(0), sampleRate, 24_000));
}

/** A WAV file of 32-bit float, stereo, 48 kHz: what recording programs write. */
function studioWav(samples: Int16Array): Uint8Array {
  const sound = resample(toFloat32(samples), 24_000, 48_000);
  const data = Float32Array.from({ length: sound.length * 2 }, (_, i) => sound[i >> 1] ?? 0);
  const file = Buffer.concat([encodeWav(new Int16Array(0), 48_000), new Uint8Array(data.buffer)]);
  file.writeUInt16LE(3, 20);
  file.writeUInt16LE(2, 22);
  file.writeUInt16LE(8, 32);
  file.writeUInt16LE(32, 34);
  file.writeUInt32LE(data.byteLength, 40);
  return file;
}

describe('decodeAttachment', () => {
  it('sends a plain WAV as it is, without what surrounds the sound', async () => {
    const file = Buffer.concat([encodeWav(speech), Buffer.from('LIST\x04\0\0\0GPS!')]);
    const { speech: sent, durationMs, cut } = await decode(file);
    expect(Buffer.from(sent.data)).toEqual(Buffer.from(encodeWav(speech)));
    expect({ durationMs, cut }).toEqual({ durationMs: speech.length / 24, cut: false });
  });

  it('sends an MP3 as it is, without its tags', async () => {
    const tag = Buffer.from('ID3\x04\0\0\0\0\0\x04art!', 'latin1');
    const { speech: sent, durationMs } = await decode(Buffer.concat([tag, mp3]));
    expect(sent.format).toBe('mp3');
    expect(Buffer.from(sent.data)).toEqual(mp3);
    expect(durationMs).toBeGreaterThanOrEqual(speech.length / 24);
    expect(sent.durationMs).toBe(durationMs);
  });

  it('turns other WAV files into compact MP3', async () => {
    const decoded = await decode(studioWav(speech));
    expect(decoded.speech.format).toBe('mp3');
    expect(decoded.durationMs).toBeCloseTo(speech.length / 24);
    const { correlation, offsetSamples } = correlate(speech, await hear(decoded));
    expect(correlation).toBeGreaterThan(0.99);
    expect(offsetSamples).toBe(MP3_DELAY_SAMPLES);

    const large = encodeWav(noise(24_000 * 45, 3000));
    expect((await decode(large)).speech.data.length).toBeLessThan(large.length / 5);
  });

  it('turns a voice message into MP3 of the same length', async () => {
    const decoded = await decode(encodeVoiceMessage(speech).file);
    expect([decoded.speech.format, decoded.cut]).toEqual(['mp3', false]);
    expect(decoded.durationMs).toBeCloseTo(speech.length / 24);
    expect(correlate(speech, await hear(decoded)).correlation).toBeGreaterThan(0.85);
  });

  it('mends an MP3 with damage in the middle', async () => {
    const decoded = await decode(Buffer.concat([mp3, Buffer.from('damage '.repeat(300)), mp3]));
    expect(decoded.durationMs).toBeGreaterThan((speech.length / 24) * 1.9);
    expect(correlate(speech, await hear(decoded)).correlation).toBeGreaterThan(0.98);
  });

  it('refuses longer sound, or cuts it and says so', async () => {
    const files = [encodeWav(silence(3000)), encodeVoiceMessage(silence(3000)).file];
    for (const file of files) {
      expect(await kindOf(file, { maxDurationMs: 2000 })).toBe('too-long');
      expect(await decode(file, { maxDurationMs: 2000, whenLonger: 'cut' })).toMatchObject({
        durationMs: 2000,
        cut: true,
      });
      expect(await decode(file, { maxDurationMs: 3000 })).toMatchObject({ durationMs: 3000, cut: false });
    }
  });

  it('kills a decoder that takes too long', async () => {
    const clock = new ManualClock();
    const kind = kindOf(encodeVoiceMessage(speech).file, { clock });
    await vi.waitFor(() => expect(clock.pending).toEqual([9_000]));
    clock.advance(9_000);
    expect(await kind).toBe('damaged');
  });

  it('stops with the signal, and throws its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const decoded = decode(encodeVoiceMessage(speech).file, { signal: controller.signal });
    controller.abort(reason);
    await expect(decoded).rejects.toBe(reason);
  });
});
