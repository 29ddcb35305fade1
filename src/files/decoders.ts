import type { DecodableKind, DecodedSound } from './decode-job.ts';

type Decoder = (bytes: Uint8Array, maxDurationMs: number) => DecodedSound | Promise<DecodedSound>;

/**
 * One decoder a kind. They are given hostile files: each stops at the duration it is told, and they run in a process of
 * their own, which loads only the one it needs. A new kind is an entry here and in `probe`.
 */
export const DECODERS: Readonly<Record<DecodableKind, () => Promise<Decoder>>> = {
  wav: async () => (await import('./wav-decoder.ts')).decodeWavFile,
  mp3: async () => (await import('./mp3-decoder.ts')).decodeMp3,
  'ogg-opus': async () => (await import('./ogg-opus.ts')).decodeOggOpus,
};
