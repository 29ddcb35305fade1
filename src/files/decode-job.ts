import type { FileTrouble } from '../language/words.ts';

/** Kinds that the child process decodes. */
export type DecodableKind = 'wav' | 'mp3' | 'ogg-opus' | 'ogg-vorbis' | 'ogg-flac' | 'flac' | 'container';

/** What becomes of the sound. `whole`: one piece with everything. `text`, `cues`: see `Segmenter`. */
export type Cutting = 'whole' | 'text' | 'cues';

/** What the child process is sent first. After each piece it waits for a {@link DecodeMore}. */
export interface DecodeJob {
  /** `pcm`: 24 kHz mono signed 16-bit comes on standard input. */
  readonly kind: DecodableKind | 'pcm';
  readonly path: string;
  /** Sound after this is not decoded, whatever the file holds. */
  readonly maxDurationMs: number;
  readonly cutting: Cutting;
  /** So many pieces at the beginning are done already and are left out. */
  readonly skipPieces: number;
}

/** The child may go on. */
export type DecodeMore = 'more';

/** A piece of a file's sound. Times are the decoder's: they count samples from the beginning of the file. */
export interface SoundPiece {
  readonly startMs: number;
  readonly durationMs: number;
  /** From the first to the last moment that is not quiet. */
  readonly voicedStartMs: number;
  readonly voicedEndMs: number;
  /** 24 kHz mono, 64 kbit/s. */
  readonly mp3: Uint8Array;
  /** It is all there is in the file. */
  readonly only: boolean;
}

/** What the child process says. */
export type DecodeMessage =
  | { readonly type: 'begun'; readonly durationMs: number | undefined }
  /** Nothing to give yet, such as in a long silence: comes every minute of sound. */
  | { readonly type: 'working' }
  | { readonly type: 'piece'; readonly piece: SoundPiece }
  /** The end. `cut`: the file was longer than it was to be. */
  | { readonly type: 'ended'; readonly durationMs: number; readonly cut: boolean }
  | { readonly type: 'failed'; readonly kind: FileTrouble; readonly message: string };
