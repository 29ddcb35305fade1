/** What the page headers of an Ogg file say about its first stream (RFC 3533). */
export interface OggPages {
  /** The first packet, if it is whole. */
  readonly firstPacket: Uint8Array | undefined;
  /** Of the last whole page. */
  readonly lastGranule: bigint;
  /** A packet goes on from one page to the next. */
  readonly continued: boolean;
}

const HEADER_BYTES = 27;
const CONTINUED = 1;

/** Walks the pages; stops where the file ends or is no longer Ogg. Linear, and without copies. */
export function readOggPages(bytes: Uint8Array): OggPages {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let firstPacket: Uint8Array | undefined;
  let serial: number | undefined;
  let lastGranule = 0n;
  let continued = false;
  let at = 0;
  while (at + HEADER_BYTES <= file.length && file.toString('latin1', at, at + 4) === 'OggS') {
    const body = at + HEADER_BYTES + file.readUInt8(at + 26);
    const lacing = file.subarray(at + HEADER_BYTES, body);
    const next = body + lacing.reduce((sum, length) => sum + length, 0);
    if (next > file.length) break;
    serial ??= file.readUInt32LE(at + 14);
    if (serial === file.readUInt32LE(at + 14)) {
      firstPacket ??= file.subarray(body, next);
      // -1 says that no packet ends on this page.
      const granule = file.readBigInt64LE(at + 6);
      if (granule >= 0n) lastGranule = granule;
      continued ||= (file.readUInt8(at + 5) & CONTINUED) !== 0 || lacing.at(-1) === 255;
    }
    at = next;
  }
  return { firstPacket, lastGranule, continued };
}
