import { readWavSamples } from '../audio/wav.ts';
import type { ByteFile } from './byte-file.ts';
import type { SoundChunk, SoundSource } from './sound-source.ts';
import { readWavInfo } from './wav-header.ts';

/** Pictures and cue lists may stand before the samples. */
const HEAD_BYTES = 16 * 1024 * 1024;

/** @throws {AttachmentError} */
export function openWav(file: ByteFile): SoundSource {
  const info = readWavInfo(file.read(0, HEAD_BYTES), file.size);
  const { dataOffset, dataBytes, frames, sampleRateHz, durationMs } = info;
  const frameBytes = dataBytes / frames;
  /** About half a second at a time. */
  const stepBytes = frameBytes * Math.ceil(sampleRateHz / 2);
  function* sound(): Generator<SoundChunk, void, undefined> {
    const end = dataOffset + dataBytes;
    for (let at = dataOffset; at < end; at += stepBytes) {
      const data = file.read(at, Math.min(stepBytes, end - at));
      yield { channels: readWavSamples(info, data), sampleRateHz };
    }
  }
  return { durationMs, sound: sound() };
}
