import type { DecodableKind } from './decode-job.ts';
import type { Decoder } from './sound-source.ts';

/**
 * One decoder a kind. They are given hostile files: they give sound as it comes, and run in a process of their own, which
 * loads only the one it needs. A new kind is an entry here and in `probe`.
 */
export const DECODERS: Readonly<Record<DecodableKind, () => Promise<Decoder>>> = {
  wav: async () => (await import('./wav-decoder.ts')).openWav,
  mp3: async () => (await import('./mp3-decoder.ts')).openMp3,
  'ogg-opus': async () => (await import('./ogg-opus.ts')).openOggOpus,
  'ogg-vorbis': async () => (await import('./compressed-decoder.ts')).openOggVorbis,
  'ogg-flac': async () => (await import('./compressed-decoder.ts')).openFlac,
  flac: async () => (await import('./compressed-decoder.ts')).openFlac,
  container: async () => (await import('./container-decoder.ts')).openContainer,
};
