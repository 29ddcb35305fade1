import { beforeAll, describe, expect, it } from 'vitest';

import { toFloat32 } from '../../src/audio/pcm.ts';
import { Mp3Encoder } from '../../src/audio/mp3.ts';
import { resample } from '../../src/audio/resample.ts';
import { correlate } from '../../src/audio/similarity.ts';
import { encodeWav } from '../../src/audio/wav.ts';
import type { DecodableKind } from '../../src/files/decode-job.ts';
import { DECODERS } from '../../src/files/decoders.ts';
import { probe } from '../../src/files/probe.ts';
import { spoken } from '../audio/sounds.ts';
import { played, troubleWith } from './played.ts';
import { fixture, noiseBytes, wavOf } from './traps.ts';

let speech: Int16Array;
beforeAll(async () => {
  speech = await spoken('Good morning.');
});

async function play(kind: DecodableKind, bytes: Uint8Array): Promise<Int16Array> {
  return played(await DECODERS[kind](), bytes);
}

async function troubleOf(kind: DecodableKind, bytes: Uint8Array): Promise<string> {
  return troubleWith(await DECODERS[kind](), bytes);
}

describe('decoders', () => {
  it.each([
    ['flac', 'flac', 'speech.flac', 0.98],
    ['ogg-flac', 'ogg-flac', 'speech-in-ogg.oga', 0.98],
    ['ogg-vorbis', 'ogg-vorbis', 'speech.vorbis.ogg', 0.98],
    ['container', 'webm', 'speech.webm', 0.95],
    ['container', 'video', 'speech.opus.mp4', 0.95],
  ] as const)('%s: plays %s', async (kind, probed, name, least) => {
    const file = fixture(name);
    expect(probe(file)).toBe(probed);
    const heard = await play(kind, file);
    expect(correlate(speech, heard).correlation).toBeGreaterThan(least);
    expect(Math.abs(heard.length - speech.length)).toBeLessThan(24_000 * 0.08);
  });

  it('leaves AAC to ffmpeg', async () => {
    expect(probe(fixture('speech.m4a'))).toBe('m4a');
    expect(await troubleOf('container', fixture('speech.m4a'))).toBe('needs-ffmpeg');
  });

  it('plays WAV of many channels and odd rates', async () => {
    const sound = resample(toFloat32(speech), 24_000, 11_025);
    const data = new Uint8Array(sound.length * 12);
    sound.forEach((sample, i) => data.fill(Math.round(sample * 127) + 128, i * 12, i * 12 + 12));
    expect(correlate(speech, await play('wav', wavOf(1, 12, 11_025, 8, data))).correlation).toBeGreaterThan(0.9);
  });

  it('plays an MP3 behind a picture of megabytes, and a WAV behind notes', async () => {
    const encoder = (await Mp3Encoder.load())();
    const mp3 = Buffer.concat([encoder.encode(speech), encoder.finish()]);
    // 3 MiB, seven bits a byte.
    const tag = Buffer.concat([Buffer.from('ID3\x04\0\0\x01\x40\0\0', 'latin1'), noiseBytes(3 * 1024 * 1024)]);
    expect(correlate(speech, await play('mp3', Buffer.concat([tag, mp3]))).correlation).toBeGreaterThan(0.99);

    const wav = Buffer.from(encodeWav(speech));
    const notes = Buffer.concat([Buffer.from('LIST\0\0\x10\0', 'latin1'), Buffer.alloc(1024 * 1024)]);
    const noted = Buffer.concat([wav.subarray(0, 36), notes, wav.subarray(36)]);
    expect(await play('wav', noted)).toEqual(speech);
  });
});
