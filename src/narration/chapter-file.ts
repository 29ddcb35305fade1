import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { type Mp3Encoder, MP3_BYTES_PER_SECOND } from '../audio/mp3.ts';
import { mp3File } from '../audio/mp3-file.ts';
import { muxOggOpus, OPUS_FILE_RATE_HZ } from '../audio/ogg.ts';
import { OpusEncoder } from '../audio/opus.ts';
import { decodePackets, splitPackets } from './packets.ts';
import type { Spool } from './spool.ts';

export const NARRATION_FORMATS = ['ogg', 'mp3'] as const;

export type NarrationFormat = (typeof NARRATION_FORMATS)[number];

/** What a file says of itself. */
export interface FileTags {
  readonly title: string;
  /** Of the whole work. */
  readonly album: string | undefined;
  /** From 1. */
  readonly track: number;
}

export interface SoundFile {
  readonly data: Uint8Array;
  readonly frames: number;
}

/** In an Ogg file each page of a second has a header, and the file has two. */
const OGG_OVERHEAD_PER_SECOND = 80;
const MARGIN_BYTES = 20_000;

/** Where files that hold these passages end, so that none is larger than it may be: the index after each one's last. */
export function cutFiles(
  spool: Spool,
  { from, to, format, maxBytes }: { from: number; to: number; format: NarrationFormat; maxBytes: number },
): number[] {
  const ends: number[] = [];
  let bytes = 0;
  for (let passage = from; passage < to; passage++) {
    const seconds = (spool.framesOf(passage) * FRAME_SAMPLES) / SAMPLE_RATE_HZ;
    const more =
      format === 'mp3' ? seconds * MP3_BYTES_PER_SECOND : spool.bytesOf(passage) + seconds * OGG_OVERHEAD_PER_SECOND;
    if (bytes > 0 && bytes + more > maxBytes - MARGIN_BYTES) {
      ends.push(passage);
      bytes = 0;
    }
    bytes += more;
  }
  return [...ends, to];
}

/** A file of passages. It is held in memory: as large as an upload may be, and no larger. */
export async function soundFile(
  spool: Spool,
  { from, to, format }: { from: number; to: number; format: NarrationFormat },
  tags: FileTags,
  createEncoder: () => Mp3Encoder,
): Promise<SoundFile> {
  return format === 'ogg' ? oggFile(spool, from, to, tags) : mp3(spool, from, to, tags, createEncoder());
}

async function oggFile(spool: Spool, from: number, to: number, tags: FileTags): Promise<SoundFile> {
  const packets: Uint8Array[] = [];
  for (let passage = from; passage < to; passage++) packets.push(...splitPackets(await spool.read(passage)));
  const scale = OPUS_FILE_RATE_HZ / SAMPLE_RATE_HZ;
  const preSkip = lookahead() * scale;
  const data = muxOggOpus(packets, {
    // What the coder is late by falls into the pause at the end.
    samples: Math.max(0, packets.length * FRAME_SAMPLES * scale - preSkip),
    preSkip,
    packetSamples: FRAME_SAMPLES * scale,
    sourceRateHz: SAMPLE_RATE_HZ,
    tags: {
      TITLE: tags.title,
      TRACKNUMBER: String(tags.track),
      ...(tags.album !== undefined && { ALBUM: tags.album }),
    },
  });
  return { data, frames: packets.length };
}

async function mp3(spool: Spool, from: number, to: number, tags: FileTags, encoder: Mp3Encoder): Promise<SoundFile> {
  const chunks: Uint8Array[] = [];
  let frames = 0;
  for await (const frame of decodePackets(passages(spool, from, to))) {
    chunks.push(encoder.encode(frame));
    frames++;
  }
  chunks.push(encoder.finish());
  const data = mp3File(Buffer.concat(chunks), frames * FRAME_SAMPLES, {
    TIT2: tags.title,
    TRCK: String(tags.track),
    ...(tags.album !== undefined && { TALB: tags.album }),
  });
  return { data, frames };
}

async function* passages(spool: Spool, from: number, to: number): AsyncGenerator<Uint8Array[], void, undefined> {
  for (let passage = from; passage < to; passage++) yield splitPackets(await spool.read(passage));
}

function lookahead(): number {
  using encoder = new OpusEncoder('live');
  return encoder.lookaheadSamples;
}
