import { Readable } from 'node:stream';

import { opus } from 'prism-media';

import { durationMs, SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { OPUS_FILE_RATE_HZ } from '../audio/ogg.ts';
import { OpusDecoder, OpusPacketError } from '../audio/opus.ts';
import { AttachmentError } from './attachment-error.ts';
import type { DecodedSound } from './decode-job.ts';
import { readOggPages } from './ogg-pages.ts';
import { PcmCollector } from './pcm-collector.ts';

/** Fed to the demuxer at a time, so that it never queues more packets than this many bytes hold. */
const CHUNK_BYTES = 16_384;

/** A file is played on past damaged packets (concealed, as loss would be) while they are fewer than the good ones. */
const DAMAGED_TO_GIVE_UP = 50;

const SCALE = OPUS_FILE_RATE_HZ / SAMPLE_RATE_HZ;

/**
 * Decodes an Ogg Opus file (RFC 7845), such as a Discord voice message, to 24 kHz mono. The first of several chained
 * streams counts. Look-ahead at the head and padding at the end are taken off.
 * @throws {AttachmentError} `damaged`, `empty`, or `unsupported` for more than two channels.
 */
export async function decodeOggOpus(bytes: Uint8Array, maxDurationMs: number): Promise<DecodedSound> {
  const file = readOggPages(bytes);
  if (file.continued) {
    // The demuxer would wait for ever for the end of such a packet and drop everything after it.
    throw new AttachmentError('unsupported', 'Ogg packets that span pages');
  }
  const head = readHead(file.firstPacket);
  const skip = Math.round(head.preSkip / SCALE);
  const maxSamples = Math.floor((maxDurationMs * SAMPLE_RATE_HZ) / 1000);
  // A second more than is wanted, because the end may yet be trimmed.
  const collector = new PcmCollector(skip + maxSamples + SAMPLE_RATE_HZ);
  await decodePackets(bytes, collector);

  const decoded = collector.finish();
  const end = decoded.cut ? decoded.samples.length : trimmedEnd(decoded.samples.length, file.lastGranule);
  const played = decoded.samples.subarray(skip, end);
  if (played.length === 0) throw new AttachmentError('empty', 'no sound in the file');
  return { samples: played.subarray(0, maxSamples), cut: played.length > maxSamples };
}

async function decodePackets(bytes: Uint8Array, collector: PcmCollector): Promise<void> {
  using decoder = new OpusDecoder();
  const demuxer = Readable.from(chunksOf(bytes)).compose(new opus.OggDemuxer());
  let good = 0;
  let damaged = 0;
  try {
    for await (const packet of demuxer) {
      if (!(packet instanceof Uint8Array)) continue;
      try {
        collector.pushSamples(decoder.decode(packet));
        good++;
      } catch (error) {
        if (!(error instanceof OpusPacketError)) throw error;
        collector.pushSamples(decoder.conceal());
        damaged++;
      }
      if (collector.full || (damaged > good && damaged > DAMAGED_TO_GIVE_UP)) break;
    }
  } catch (cause) {
    throw new AttachmentError('damaged', 'the Ogg stream is broken', { cause });
  }
  if (damaged > good) throw new AttachmentError('damaged', `${damaged} of ${good + damaged} packets are damaged`);
  if (good === 0) throw new AttachmentError('empty', 'no packets in the file');
}

function* chunksOf(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield Buffer.from(bytes.subarray(at, at + CHUNK_BYTES));
}

/** The identification header (RFC 7845 §5.1). */
function readHead(packet: Uint8Array | undefined): { preSkip: number } {
  const head = Buffer.from(packet ?? []);
  if (head.length < 19 || head.toString('latin1', 0, 8) !== 'OpusHead') {
    throw new AttachmentError('damaged', 'no Opus header');
  }
  if (head.readUInt8(8) >> 4 !== 0 || head.readUInt8(18) !== 0) {
    throw new AttachmentError('unsupported', 'Opus with more than two channels');
  }
  return { preSkip: head.readUInt16LE(10) };
}

/**
 * The last page's granule position may say that the last packet is played in part (RFC 7845 §4.4). It is believed only
 * as far as that: a file that was cut from a longer stream counts from somewhere else.
 */
function trimmedEnd(decoded: number, lastGranule: bigint): number {
  const end = Math.ceil(Number(lastGranule) / SCALE);
  const padding = durationMs(decoded - end);
  return padding > 0 && padding < 1000 ? end : decoded;
}
