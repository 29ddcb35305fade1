import { oggChecksum } from '../audio/ogg.ts';
import type { ByteFile } from './byte-file.ts';

/** A page of an Ogg file (RFC 3533), with the packets that end on it. */
export interface OggPage {
  readonly serial: number;
  /** First page of a logical stream. */
  readonly begins: boolean;
  /** Last page of a logical stream. */
  readonly ends: boolean;
  /** -1: no packet ends on this page. */
  readonly granule: bigint;
  readonly packets: readonly Uint8Array[];
  /** Something before it is lost. */
  readonly afterDamage: boolean;
}

const HEADER_BYTES = 27;
const CHECKSUM_AT = 22;
const CONTINUED = 1;
const BEGINS = 2;
const ENDS = 4;

/** A page with all its lacing values. */
const MAX_PAGE_BYTES = HEADER_BYTES + 255 + 255 * 255;

/** Packets of sound are far smaller; what is larger is dropped. */
const MAX_PACKET_BYTES = 262_144;

/** How far a damaged file is searched for its next page. */
const SEARCH_BYTES = 1_048_576;

/**
 * Reads the pages of an Ogg file one after the other. Packets that go on from page to page are put together, unless a part
 * is missing. After damage, which its checksum tells, it goes on with the next page.
 */
export function* readOggPages(file: ByteFile): Generator<OggPage, void, undefined> {
  const partials = new Map<number, Uint8Array[]>();
  let afterDamage = false;
  let at: number | undefined = 0;
  while (at !== undefined && at < file.size) {
    const page = readPage(file, at);
    if (!page) {
      at = findPage(file, at + 1);
      partials.clear();
      afterDamage = true;
      continue;
    }
    at += page.bytes;
    const { serial, flags } = page;
    const before = (flags & CONTINUED) === 0 ? undefined : (partials.get(serial) ?? []);
    const { packets, rest } = assemble(page.segments, before, partials.has(serial));
    partials.delete(serial);
    if (rest) partials.set(serial, rest);
    const [begins, ends] = [(flags & BEGINS) !== 0, (flags & ENDS) !== 0];
    yield { serial, begins, ends, granule: page.granule, packets, afterDamage };
    afterDamage = false;
  }
}

/** The granule position of the last page near the end of the file. */
export function lastGranule(file: ByteFile): bigint | undefined {
  const tail = file.read(Math.max(0, file.size - 2 * MAX_PAGE_BYTES), 2 * MAX_PAGE_BYTES);
  const at = tail.lastIndexOf('OggS');
  return at < 0 || at + 14 > tail.length ? undefined : tail.readBigInt64LE(at + 6);
}

interface RawPage {
  readonly bytes: number;
  readonly serial: number;
  readonly flags: number;
  readonly granule: bigint;
  /** Runs of bytes between packet ends; `ends` says whether the packet ends with it. */
  readonly segments: readonly { readonly bytes: Uint8Array; readonly ends: boolean }[];
}

function readPage(file: ByteFile, at: number): RawPage | undefined {
  const head = file.read(at, HEADER_BYTES + 255);
  if (head.length < HEADER_BYTES || head.toString('latin1', 0, 4) !== 'OggS') return undefined;
  const lacing = head.subarray(HEADER_BYTES, HEADER_BYTES + head.readUInt8(26));
  const headBytes = HEADER_BYTES + head.readUInt8(26);
  const bodyBytes = lacing.reduce((sum, length) => sum + length, 0);
  const body = file.read(at + headBytes, bodyBytes);
  if (body.length < bodyBytes || !isIntact(head.subarray(0, headBytes), body)) return undefined;
  const segments: { bytes: Uint8Array; ends: boolean }[] = [];
  let start = 0;
  let end = 0;
  lacing.forEach((length, i) => {
    end += length;
    if (length === 255 && i < lacing.length - 1) return;
    segments.push({ bytes: body.subarray(start, end), ends: length < 255 });
    start = end;
  });
  return {
    bytes: headBytes + bodyBytes,
    serial: head.readUInt32LE(14),
    flags: head.readUInt8(5),
    granule: head.readBigInt64LE(6),
    segments,
  };
}

/** The checksum is of the page with zeros in its place. */
function isIntact(head: Buffer, body: Buffer): boolean {
  const checksum = head.readUInt32LE(CHECKSUM_AT);
  const page = Buffer.concat([head, body]);
  page.writeUInt32LE(0, CHECKSUM_AT);
  return oggChecksum(page) === checksum;
}

/** @param before Parts of the packet that goes on at the head of this page; `undefined` when none does. */
function assemble(
  segments: RawPage['segments'],
  before: Uint8Array[] | undefined,
  isWhole: boolean,
): { packets: Uint8Array[]; rest: Uint8Array[] | undefined } {
  const packets: Uint8Array[] = [];
  let parts = before ?? [];
  // Without its beginning a packet is of no use.
  let usable = before === undefined || isWhole;
  for (const { bytes, ends } of segments) {
    parts.push(bytes);
    if (!ends) continue;
    if (usable) packets.push(parts.length === 1 ? bytes : Buffer.concat(parts));
    parts = [];
    usable = true;
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return { packets, rest: parts.length > 0 && usable && length <= MAX_PACKET_BYTES ? parts : undefined };
}

function findPage(file: ByteFile, from: number): number | undefined {
  for (let at = from; at < Math.min(file.size, from + SEARCH_BYTES); at += MAX_PAGE_BYTES) {
    const found = file.read(at, MAX_PAGE_BYTES + 3).indexOf('OggS');
    if (found >= 0) return at + found;
  }
  return undefined;
}
