import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SAMPLE_RATE_HZ } from '../../../src/audio/frame.ts';
import { encodeWav } from '../../../src/audio/wav.ts';
import { Synthesizer } from '../../../src/sandbox/speech.ts';

/** How ffmpeg is told to write a format, and whether Parley reads it without ffmpeg. */
export interface Format {
  readonly name: string;
  readonly extension: string;
  readonly options: readonly string[];
  readonly ours: boolean;
  /** Rates the format has; all of {@link RATES} otherwise. */
  readonly rates?: readonly number[];
}

export const RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000];
const OPUS_RATES = [8_000, 16_000, 24_000, 48_000];
const MP3_RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000];

function wav(name: string, codec: string): Format {
  return { name: `wav ${name}`, extension: 'wav', options: ['-c:a', codec], ours: true };
}

export const FORMATS: readonly Format[] = [
  wav('u8', 'pcm_u8'),
  wav('s16', 'pcm_s16le'),
  wav('s24', 'pcm_s24le'),
  wav('s32', 'pcm_s32le'),
  wav('f32', 'pcm_f32le'),
  wav('f64', 'pcm_f64le'),
  wav('a-law', 'pcm_alaw'),
  wav('mu-law', 'pcm_mulaw'),
  { ...wav('ADPCM', 'adpcm_ima_wav'), ours: false },
  { name: 'mp3', extension: 'mp3', options: ['-c:a', 'libmp3lame'], ours: true, rates: MP3_RATES },
  { name: 'flac', extension: 'flac', options: ['-c:a', 'flac'], ours: true },
  { name: 'flac in ogg', extension: 'oga', options: ['-c:a', 'flac'], ours: true },
  {
    name: 'Vorbis',
    extension: 'ogg',
    options: ['-c:a', 'libvorbis', '-q:a', '5'],
    ours: true,
    rates: [8_000, 16_000, 22_050, 24_000, 44_100, 48_000],
  },
  { name: 'Ogg Opus', extension: 'opus', options: ['-c:a', 'libopus', '-b:a', '64k'], ours: true, rates: OPUS_RATES },
  { name: 'webm Opus', extension: 'webm', options: ['-c:a', 'libopus', '-b:a', '64k'], ours: true, rates: OPUS_RATES },
  {
    name: 'mp4 Opus',
    extension: 'mp4',
    options: ['-c:a', 'libopus', '-b:a', '64k', '-strict', '-2'],
    ours: true,
    rates: OPUS_RATES,
  },
  { name: 'm4a AAC', extension: 'm4a', options: ['-c:a', 'aac', '-b:a', '96k'], ours: false },
  {
    name: 'm4a AAC, moov first',
    extension: 'm4a',
    options: ['-c:a', 'aac', '-b:a', '96k', '-movflags', '+faststart'],
    ours: false,
  },
  { name: 'AAC', extension: 'aac', options: ['-c:a', 'aac', '-b:a', '96k'], ours: false },
  { name: 'ALAC', extension: 'm4a', options: ['-c:a', 'alac'], ours: false },
  { name: 'aiff', extension: 'aiff', options: [], ours: false },
  ...['mp4', 'mov', 'mkv'].map((extension) => ({
    name: `${extension} video`,
    extension,
    options: [
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=64x64:rate=5',
      '-shortest',
      '-c:v',
      'mpeg4',
      '-c:a',
      'aac',
      '-b:a',
      '96k',
    ],
    ours: false,
    rates: [44_100, 48_000],
  })),
];

/** Makes files of one recording with ffmpeg. */
export class Maker implements Disposable {
  readonly speech: Int16Array;
  readonly #folder = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  readonly #source = join(this.#folder, 'source.wav');

  constructor(speech: Int16Array) {
    this.speech = speech;
    writeFileSync(this.#source, encodeWav(speech, SAMPLE_RATE_HZ));
  }

  make({ extension, options }: Pick<Format, 'extension' | 'options'>, channels: number, rateHz: number): Buffer {
    const file = join(this.#folder, `made.${extension}`);
    const sound = ['-ac', String(channels), '-ar', String(rateHz)];
    execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', '-i', this.#source, ...options, ...sound, file]);
    return readFileSync(file);
  }

  /** So many minutes of the recording, again and again: ffmpeg repeats it, so that nobody here holds them all. */
  repeat({ extension, options }: Pick<Format, 'extension' | 'options'>, minutes: number): Buffer {
    const times = (minutes * 60 * SAMPLE_RATE_HZ) / this.speech.length;
    const loop = ['-af', `aloop=loop=${times - 1}:size=${this.speech.length}`];
    return this.make({ extension, options: [...loop, ...options] }, 1, SAMPLE_RATE_HZ);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** Some seconds of speech, 24 kHz mono. */
export async function someSpeech(): Promise<Int16Array> {
  await using synthesizer = new Synthesizer();
  return await synthesizer.synthesize('The weather will be fine tomorrow, with a little wind from the west.', 'slt');
}
