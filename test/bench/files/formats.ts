import { MPEGDecoder } from 'mpg123-decoder';

import { toFloat32, toInt16 } from '../../../src/audio/pcm.ts';
import { resample } from '../../../src/audio/resample.ts';
import { correlate } from '../../../src/audio/similarity.ts';
import { decodeWav } from '../../../src/audio/wav.ts';
import { AttachmentError } from '../../../src/files/attachment-error.ts';
import { decodeAttachment, type DecodedAttachment } from '../../../src/files/decode.ts';
import { monotonicClock } from '../../../src/time/clock.ts';
import { FORMATS, Maker, RATES, someSpeech } from './made.ts';

/** Each format, mono and stereo, at each rate, with ffmpeg and without: how like the source is what the model is sent? */
export async function benchFormats(): Promise<string[]> {
  const lines = ['| file | ffmpeg | channels × rate: likeness, or the refusal |', '|---|---|---|'];
  using maker = new Maker(await someSpeech());
  let [right, wrong] = [0, 0];
  for (const format of FORMATS) {
    for (const ffmpeg of ['ffmpeg', '/nowhere/ffmpeg']) {
      const cells: string[] = [];
      for (const channels of [1, 2]) {
        for (const rateHz of format.rates ?? RATES) {
          const bytes = maker.make(format, channels, rateHz);
          // What is above the file's own bandwidth cannot come back.
          const narrowed = resample(resample(toFloat32(maker.speech), 24_000, rateHz), rateHz, 24_000);
          const cell = await likeness(toInt16(narrowed), bytes, ffmpeg);
          const fine = format.ours || ffmpeg === 'ffmpeg' ? Number(cell) >= 0.95 : cell === 'needs-ffmpeg';
          if (fine) right++;
          else wrong++;
          cells.push(`${channels} × ${rateHz / 1000}k:${cell}${fine ? '' : ' WRONG'}`);
        }
      }
      lines.push(`| ${format.name} | ${ffmpeg === 'ffmpeg' ? 'with' : 'without'} | ${cells.join(', ')} |`);
    }
  }
  return [...lines, '', `${right} as they should be, ${wrong} not.`];
}

async function likeness(source: Int16Array, bytes: Buffer, ffmpeg: string): Promise<string> {
  try {
    const decoded = await decodeAttachment(bytes, {
      clock: monotonicClock,
      signal: new AbortController().signal,
      ffmpeg,
    });
    return correlate(source, await hear(decoded)).correlation.toFixed(3);
  } catch (error) {
    if (error instanceof AttachmentError) return error.kind;
    throw error;
  }
}

/** What the model hears, 24 kHz mono. */
async function hear({ speech: { format, data } }: DecodedAttachment): Promise<Int16Array> {
  if (format === 'wav') {
    const { channels, sampleRateHz } = decodeWav(data);
    return toInt16(resample(channels[0] ?? new Float32Array(0), sampleRateHz, 24_000));
  }
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const { channelData, sampleRate } = decoder.decode(data);
  decoder.free();
  return toInt16(resample(channelData[0] ?? new Float32Array(0), sampleRate, 24_000));
}
