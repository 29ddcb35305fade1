/** RTP (RFC 3550) as Discord's voice servers send and take it. */

/** The fixed part of the header. */
export const RTP_HEADER_BYTES = 12;
/** Discord's payload type for Opus. */
const PAYLOAD_TYPE_OPUS = 0x78;

const VERSION_2 = 0x80;
const PADDING = 0x20;
const EXTENSION = 0x10;
/** "One-byte header" extensions, RFC 8285. */
const EXTENSION_PROFILE = 0xbede;

export interface RtpPacket {
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

/** The part of a packet that stays readable, and the part that gets encrypted. */
export interface SplitPacket {
  readonly header: Buffer;
  readonly body: Buffer;
}

/**
 * A packet towards a bot: version 2 with a header extension, whose four-byte head is readable and whose words are inside
 * the encrypted body, and `paddingBytes` of RTP padding (0: none).
 */
export function writeRtp(packet: RtpPacket, extensionWords: Buffer, paddingBytes: number): SplitPacket {
  const header = Buffer.alloc(RTP_HEADER_BYTES + 4);
  header[0] = VERSION_2 | EXTENSION | (paddingBytes > 0 ? PADDING : 0);
  header[1] = PAYLOAD_TYPE_OPUS;
  header.writeUInt16BE(packet.sequence, 2);
  header.writeUInt32BE(packet.timestamp, 4);
  header.writeUInt32BE(packet.ssrc, 8);
  header.writeUInt16BE(EXTENSION_PROFILE, 12);
  header.writeUInt16BE(extensionWords.length / 4, 14);
  const padding = Buffer.alloc(paddingBytes);
  if (paddingBytes > 0) padding[paddingBytes - 1] = paddingBytes;
  return { header, body: Buffer.concat([extensionWords, packet.payload, padding]) };
}

/** Where a datagram's readable header ends, or undefined when it is not an Opus RTP packet. */
export function rtpHeaderLength(datagram: Buffer): number | undefined {
  const first = datagram[0];
  if (first === undefined || datagram.length < RTP_HEADER_BYTES) return undefined;
  if (first >> 6 !== 2 || ((datagram[1] ?? 0) & 0x7f) !== PAYLOAD_TYPE_OPUS) return undefined;
  const length = RTP_HEADER_BYTES + 4 * (first & 0x0f) + (first & EXTENSION ? 4 : 0);
  return datagram.length > length ? length : undefined;
}

/** Reads a packet from its readable header and its decrypted body. Undefined when lengths in it do not fit. */
export function readRtp(header: Buffer, body: Buffer): RtpPacket | undefined {
  const first = header[0] ?? 0;
  let start = 0;
  let end = body.length;
  if (first & EXTENSION) start = 4 * header.readUInt16BE(header.length - 2);
  if (first & PADDING) end -= body[body.length - 1] ?? 0;
  if (start > end) return undefined;
  return {
    sequence: header.readUInt16BE(2),
    timestamp: header.readUInt32BE(4),
    ssrc: header.readUInt32BE(8),
    payload: body.subarray(start, end),
  };
}
