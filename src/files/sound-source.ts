import type { ByteFile } from './byte-file.ts';

/** Decoded sound as a decoder gives it: channels of -1 to 1 at a rate, which may change, or 24 kHz mono. */
export type SoundChunk = Int16Array | { readonly channels: readonly Float32Array[]; readonly sampleRateHz: number };

/** A file that is being decoded. */
export interface SoundSource {
  /** What its header claims. Only to be shown: it may be wrong. */
  readonly durationMs: number | undefined;
  /** Bounded in memory, whatever the file holds. Throws `AttachmentError`, or anything else where the file is damaged. */
  readonly sound: Iterable<SoundChunk> | AsyncIterable<SoundChunk>;
}

/** Opens a file of one kind. @throws {AttachmentError} */
export type Decoder = (file: ByteFile) => SoundSource | Promise<SoundSource>;
