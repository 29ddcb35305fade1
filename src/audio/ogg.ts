/** Opus counts at 48 kHz in files, whatever rate was coded (RFC 7845 §4). */
export const OPUS_FILE_RATE_HZ = 48_000;

/** One second a page, as RFC 7845 §6 advises. */
const PACKETS_PER_PAGE = 50;
const MAX_SEGMENTS_PER_PAGE = 255;

const FIRST_PAGE = 2;
const LAST_PAGE = 4;

/** What an Ogg Opus file needs to know beside its packets. Samples are counted at 48 kHz, as the file does. */
export interface OggOpusOptions {
  /** Samples of the source: what a player will play. */
  readonly samples: number;
  /** Samples at the head that a player must skip: the coder's look-ahead. */
  readonly preSkip: number;
  /** Samples in each packet. */
  readonly packetSamples: number;
  /** Rate of the source, for information only. */
  readonly sourceRateHz: number;
  /** Vorbis comments, such as `TITLE`. */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * An Ogg Opus file (RFC 3533, RFC 7845), mono, that plays exactly `samples` long: the last page's granule position
 * cuts the padding of the last packet.
 * @throws {RangeError} when the packets hold fewer samples than are to be played, or a packet is too large for a page.
 */
export function muxOggOpus(packets: readonly Uint8Array[], options: OggOpusOptions): Uint8Array {
  const end = options.preSkip + options.samples;
  if (packets.length * options.packetSamples < end) throw new RangeError('fewer packets than samples');

  const pages = [
    page(FIRST_PAGE, 0, 0, [opusHead(options)]),
    page(packets.length === 0 ? LAST_PAGE : 0, 0, 1, [opusTags(options.tags ?? {})]),
  ];
  for (let start = 0; start < packets.length;) {
    const body = packetsForPage(packets, start);
    start += body.length;
    const last = start === packets.length;
    pages.push(page(last ? LAST_PAGE : 0, last ? end : start * options.packetSamples, pages.length, body));
  }
  return Buffer.concat(pages);
}

function packetsForPage(packets: readonly Uint8Array[], start: number): Uint8Array[] {
  const body: Uint8Array[] = [];
  let segments = 0;
  for (const packet of packets.slice(start, start + PACKETS_PER_PAGE)) {
    segments += Math.floor(packet.length / 255) + 1;
    if (segments > MAX_SEGMENTS_PER_PAGE) break;
    body.push(packet);
  }
  if (body.length === 0) throw new RangeError('a packet larger than a page');
  return body;
}

function opusHead({ preSkip, sourceRateHz }: OggOpusOptions): Uint8Array {
  const head = Buffer.alloc(19);
  head.write('OpusHead');
  head.writeUInt8(1, 8); // version
  head.writeUInt8(1, 9); // channels
  head.writeUInt16LE(preSkip, 10);
  head.writeUInt32LE(sourceRateHz, 12);
  return head; // gain 0, channel mapping family 0
}

function opusTags(tags: Readonly<Record<string, string>>): Uint8Array {
  const comments = Object.entries(tags).map(([name, value]) => `${name}=${value}`);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(comments.length);
  return Buffer.concat([Buffer.from('OpusTags'), counted('Parley'), count, ...comments.map(counted)]);
}

/** A text as Vorbis comments have it: its length in bytes, then UTF-8 (RFC 7845 §5.2). */
function counted(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function page(flags: number, granule: number, sequence: number, packets: readonly Uint8Array[]): Uint8Array {
  const segments = packets.flatMap((packet) => [
    ...Array.from({ length: Math.floor(packet.length / 255) }, () => 255),
    packet.length % 255,
  ]);
  const header = Buffer.alloc(27);
  header.write('OggS');
  header.writeUInt8(flags, 5);
  header.writeBigInt64LE(BigInt(granule), 6);
  header.writeUInt32LE(1, 14); // serial: any number will do for a single stream, and a fixed one makes equal files
  header.writeUInt32LE(sequence, 18);
  header.writeUInt8(segments.length, 26);
  const bytes = Buffer.concat([header, Uint8Array.from(segments), ...packets]);
  bytes.writeUInt32LE(oggChecksum(bytes), 22);
  return bytes;
}

const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 24;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder << 1) ^ (remainder < 0 ? 0x04c1_1db7 : 0);
  return remainder >>> 0;
});

/** CRC-32 as Ogg has it: polynomial 0x04c11db7, most significant bit first, nothing inverted (RFC 3533 §6). */
export function oggChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = ((sum << 8) ^ CHECKSUMS[(sum >>> 24) ^ byte]!) >>> 0;
  return sum;
}
