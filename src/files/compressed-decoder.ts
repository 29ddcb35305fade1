import { FLACDecoder } from '@wasm-audio-decoders/flac';
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';

import { AttachmentError } from './attachment-error.ts';
import type { ByteFile } from './byte-file.ts';
import { checkSound } from './mono-stream.ts';
import { lastGranule } from './ogg-pages.ts';
import type { SoundChunk, SoundSource } from './sound-source.ts';

/** Bytes at a time: doubled while little sound comes out of them, because ten bytes may hold a second of silence. */
const MIN_STEP_BYTES = 512;
const MAX_STEP_BYTES = 32_768;
const MUCH_SAMPLES = 100_000;

/** FLAC's sample rate is 20 bits at byte 18 of the file, its length 36 bits from byte 21 (RFC 9639 §8.2). */
export function openFlac(file: ByteFile): SoundSource {
  const head = file.read(0, 42);
  let claimed: number | undefined;
  if (head.length === 42 && head.toString('latin1', 0, 4) === 'fLaC') {
    const rateHz = head.readUIntBE(18, 3) >> 4;
    checkSound(((head.readUInt8(20) >> 1) & 7) + 1, rateHz);
    const samples = (head.readUInt8(21) & 15) * 2 ** 32 + head.readUInt32BE(22);
    claimed = samples > 0 ? (samples * 1000) / rateHz : undefined;
  }
  return { durationMs: claimed, sound: decode(file, new FLACDecoder()) };
}

/** The sample rate is at byte 12 of Vorbis's first packet, which stands at byte 28 of the file. */
export function openOggVorbis(file: ByteFile): SoundSource {
  const head = file.read(0, 58);
  if (head.length < 58) throw new AttachmentError('damaged', 'no Vorbis header');
  const [channels, rateHz] = [head.readUInt8(39), head.readUInt32LE(40)];
  checkSound(channels, rateHz);
  const granule = lastGranule(file);
  const claimed = granule !== undefined && granule > 0n ? (Number(granule) * 1000) / rateHz : undefined;
  return { durationMs: claimed, sound: decode(file, new OggVorbisDecoder()) };
}

async function* decode(
  file: ByteFile,
  decoder: FLACDecoder | OggVorbisDecoder,
): AsyncGenerator<SoundChunk, void, undefined> {
  await decoder.ready;
  let step = MIN_STEP_BYTES;
  let any = false;
  for (let at = 0; at < file.size;) {
    const bytes = file.read(at, step);
    at += bytes.length;
    const { channelData, samplesDecoded, sampleRate } = await decoder.decode(bytes);
    if (samplesDecoded < MUCH_SAMPLES) step = Math.min(step * 2, MAX_STEP_BYTES);
    else step = MIN_STEP_BYTES;
    if (samplesDecoded === 0) continue;
    any = true;
    yield { channels: channelData, sampleRateHz: sampleRate };
  }
  const { channelData, samplesDecoded, sampleRate } = await decoder.flush();
  if (samplesDecoded > 0) yield { channels: channelData, sampleRateHz: sampleRate };
  else if (!any) throw new AttachmentError('damaged', 'no sound could be decoded');
}
