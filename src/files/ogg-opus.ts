import { durationMs, SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { OPUS_FILE_RATE_HZ } from '../audio/ogg.ts';
import { AttachmentError } from './attachment-error.ts';
import type { ByteFile } from './byte-file.ts';
import { lastGranule, readOggPages, type OggPage } from './ogg-pages.ts';
import { OPUS_SCALE, OpusStream, readOpusHead } from './opus-stream.ts';
import type { SoundSource } from './sound-source.ts';

const MAX_GAP_MS = 10_000;

/**
 * Decodes an Ogg Opus file (RFC 7845), such as a Discord voice message, to 24 kHz mono; chained streams one after the
 * other. Look-ahead at the head and padding at the end of each are taken off.
 */
export function openOggOpus(file: ByteFile): SoundSource {
  const granule = lastGranule(file);
  const claimed = granule !== undefined && granule > 0n ? (Number(granule) * 1000) / OPUS_FILE_RATE_HZ : undefined;
  return { durationMs: claimed, sound: decode(file, claimed !== undefined) };
}

/** The stream that is being played. */
interface Playing {
  readonly serial: number;
  readonly stream: OpusStream;
  readonly skip: number;
  /** Samples given so far. */
  played: number;
  headerPackets: number;
}

async function* decode(file: ByteFile, claimsSound: boolean): AsyncGenerator<Int16Array, void, undefined> {
  let playing: Playing | undefined;
  let heard = false;
  for (const page of readOggPages(file)) {
    const head = page.begins ? page.packets[0] : undefined;
    // Chained streams should have other serial numbers, and those of files that were joined often have not.
    if (head && isOpusHead(head)) {
      if (playing) heard = close(playing) || heard;
      playing = await begin(page.serial, head);
    } else if (playing && page.serial === playing.serial) {
      yield* pageOf(playing, page);
    }
  }
  if (!playing) throw new AttachmentError('damaged', 'no Opus stream in the file');
  heard = close(playing) || heard;
  if (!heard) throw new AttachmentError(claimsSound ? 'damaged' : 'empty', 'no packets in the file');
}

async function begin(serial: number, packet: Uint8Array): Promise<Playing> {
  const head = readOpusHead(packet);
  return {
    serial,
    stream: await OpusStream.open(head),
    skip: Math.round(head.preSkip / OPUS_SCALE),
    played: 0,
    headerPackets: 1,
  };
}

function close({ stream }: Playing): boolean {
  using _ = stream;
  return stream.finish();
}

function* pageOf(playing: Playing, page: OggPage): Generator<Int16Array, void, undefined> {
  const { packets, granule, ends } = page;
  const pieces: Int16Array[] = [];
  for (const packet of packets) {
    // The comments, which may be of any length, are the second packet.
    if (playing.headerPackets > 0) playing.headerPackets--;
    else pieces.push(playing.stream.decode(packet));
  }
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (page.afterDamage && playing.headerPackets === 0) {
    const lost = lostSamples(playing, length, granule);
    playing.played += lost;
    if (lost > 0) yield new Int16Array(lost);
  }
  let rest = length - (ends ? padding(playing, length, granule) : 0);
  for (const piece of pieces) {
    const kept = piece.subarray(0, Math.max(0, rest));
    rest -= kept.length;
    playing.played += kept.length;
    if (kept.length > 0) yield kept;
  }
}

/**
 * The last page's granule position may say that the last packet is played in part (RFC 7845 §4.4). It is believed only
 * as far as that: a file that was cut from a longer stream counts from somewhere else.
 */
function padding({ played, skip }: Playing, length: number, granule: bigint): number {
  const end = Math.ceil(Number(granule) / OPUS_SCALE) - skip;
  const rest = played + length - end;
  return rest > 0 && durationMs(rest) < 1000 && rest < length + SAMPLE_RATE_HZ ? rest : 0;
}

/** What damaged pages held becomes silence, so that what follows has its true time. Longer gaps are not believed. */
function lostSamples({ played, skip }: Playing, length: number, granule: bigint): number {
  const lost = Math.round(Number(granule) / OPUS_SCALE) - skip - played - length;
  return lost > 0 && durationMs(lost) <= MAX_GAP_MS ? lost : 0;
}

function isOpusHead(packet: Uint8Array): boolean {
  return Buffer.from(packet.subarray(0, 8)).toString('latin1') === 'OpusHead';
}
