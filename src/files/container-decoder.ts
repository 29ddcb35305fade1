import { CustomSource, EncodedPacketSink, Input, MATROSKA, MP4, QTFF, WEBM, type InputAudioTrack } from 'mediabunny';

import { AttachmentError } from './attachment-error.ts';
import type { ByteFile } from './byte-file.ts';
import { OpusStream, readOpusHead, type OpusHead } from './opus-stream.ts';
import type { SoundChunk, SoundSource } from './sound-source.ts';

const CACHE_BYTES = 4 * 1024 * 1024;
const TABLES_BYTES = 1024 * 1024;

/**
 * The sound of a webm, Matroska, mp4 or QuickTime file, where it is Opus.
 * @throws {AttachmentError} `no-sound`, or `needs-ffmpeg` for other codecs.
 */
export async function openContainer(file: ByteFile): Promise<SoundSource> {
  const input = new Input({
    // Exactly these: others would follow what a file points to.
    formats: [MP4, QTFF, WEBM, MATROSKA],
    source: new CustomSource({
      getSize: () => file.size,
      read: (start, end) => file.read(start, end - start),
      maxCacheSize: CACHE_BYTES,
      prefetchProfile: 'fileSystem',
    }),
  });
  if (!(await input.canRead())) throw new AttachmentError('unsupported', 'a container of another kind');
  const track = await input.getPrimaryAudioTrack();
  if (!track) throw new AttachmentError('no-sound', 'no audio track');
  const codec = await track.getCodec();
  if (codec !== 'opus') {
    if (isEncrypted(file)) throw new AttachmentError('encrypted', 'an encrypted track');
    throw new AttachmentError('needs-ffmpeg', `a codec that is not decoded here: ${codec}`);
  }
  const seconds = (await input.getDurationFromMetadata([track])) ?? undefined;
  return { durationMs: seconds === undefined ? undefined : seconds * 1000, sound: decode(track) };
}

async function* decode(track: InputAudioTrack): AsyncGenerator<SoundChunk, void, undefined> {
  using stream = await OpusStream.open(await headOf(track));
  for await (const { data } of new EncodedPacketSink(track).packets()) yield stream.decode(data);
  if (!stream.finish()) throw new AttachmentError('empty', 'no packets in the file');
}

async function headOf(track: InputAudioTrack): Promise<OpusHead> {
  const description: unknown = (await track.getDecoderConfig())?.description;
  const bytes =
    description instanceof Uint8Array
      ? description
      : description instanceof ArrayBuffer
        ? new Uint8Array(description)
        : undefined;
  if (bytes) return readOpusHead(bytes);
  const channels = await track.getNumberOfChannels();
  if (channels > 2) throw new AttachmentError('damaged', 'more than two Opus channels without a layout');
  return { channels, preSkip: 0, layout: undefined };
}

/** Whether a sample entry of the MP4 tables, which stand at either end of the file, is a protected one (ISO 14496-12). */
function isEncrypted(file: ByteFile): boolean {
  return [0, file.size - TABLES_BYTES].some((at) => file.read(Math.max(0, at), TABLES_BYTES).includes('enca'));
}
