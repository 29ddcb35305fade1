import type { FileTrouble } from '../language/words.ts';

/** Kinds that the child process decodes. */
export type DecodableKind = 'wav' | 'mp3' | 'ogg-opus';

/** What the child process is sent: once, then it works and ends. */
export interface DecodeJob {
  readonly kind: DecodableKind;
  readonly bytes: Uint8Array;
  /** Sound after this is not decoded, whatever the file holds. */
  readonly maxDurationMs: number;
  /** Whether a longer file is of use at all. */
  readonly whenLonger: 'refuse' | 'cut';
}

/** 24 kHz mono. */
export interface DecodedSound {
  readonly samples: Int16Array;
  /** The file was longer than it was to be. */
  readonly cut: boolean;
}

/** What the child process answers: once. */
export type DecodeResult =
  | {
      readonly type: 'decoded';
      /** 24 kHz mono, 64 kbit/s. */
      readonly mp3: Uint8Array;
      readonly durationMs: number;
      /** The file was longer than it was to be. */
      readonly cut: boolean;
    }
  | { readonly type: 'failed'; readonly kind: FileTrouble; readonly message: string };
