import { createHash } from 'node:crypto';

/**
 * The little of the MLS wire format (RFC 9420) that a DAVE delivery service needs. It reads what members send and never
 * holds a group's secrets.
 */

/** Bytes that are not the MLS structure they should be. */
export class MlsFormatError extends Error {
  override readonly name = 'MlsFormatError';
}

/** A variable-length vector: the length as in RFC 9420 §2.1.2, then the bytes. */
export function vector(bytes: Uint8Array): Buffer {
  const { length } = bytes;
  if (length < 0x40) return Buffer.concat([Buffer.of(length), bytes]);
  const prefix = Buffer.alloc(length < 0x4000 ? 2 : 4);
  if (length < 0x4000) prefix.writeUInt16BE(0x4000 | length);
  else prefix.writeUInt32BE((0x80000000 | length) >>> 0);
  return Buffer.concat([prefix, bytes]);
}

/** An unsigned integer in network order. */
export function uint(value: number | bigint, byteLength: 1 | 2 | 4 | 8): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes.subarray(8 - byteLength);
}

/** RefHash of RFC 9420 §5.2 with the ciphersuite's SHA-256. */
export function refHash(label: string, value: Uint8Array): Buffer {
  return createHash('sha256')
    .update(vector(Buffer.from(label)))
    .update(vector(value))
    .digest();
}

/** Walks MLS bytes. @throws {MlsFormatError} when they end too early. */
class MlsReader {
  readonly #bytes: Buffer;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.offset;
  }

  take(byteLength: number): Buffer {
    if (byteLength > this.remaining) throw new MlsFormatError(`${byteLength} bytes wanted, ${this.remaining} left`);
    this.offset += byteLength;
    return this.#bytes.subarray(this.offset - byteLength, this.offset);
  }

  uint8(): number {
    return this.take(1).readUInt8();
  }

  uint16(): number {
    return this.take(2).readUInt16BE();
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  uint64(): bigint {
    return this.take(8).readBigUInt64BE();
  }

  vector(): Buffer {
    const first = this.uint8();
    const kind = first >> 6;
    if (kind === 3) throw new MlsFormatError('a vector length with the reserved prefix');
    let length = first & 0x3f;
    for (let left = (1 << kind) - 1; left > 0; left -= 1) length = length * 256 + this.uint8();
    return this.take(length);
  }

  /** Fails unless the next 16-bit number is `value`. */
  expect16(value: number, what: string): void {
    const found = this.uint16();
    if (found !== value) throw new MlsFormatError(`${what} is ${found}, not ${value}`);
  }
}

const MLS_VERSION = 1;
const WIRE_FORMAT_PUBLIC_MESSAGE = 1;
const WIRE_FORMAT_KEY_PACKAGE = 5;
const CIPHERSUITE = 2;
const CREDENTIAL_BASIC = 1;

/** A member's key package, checked and unwrapped, with the user id its leaf claims. */
export function readKeyPackage(bytes: Uint8Array): { keyPackage: Buffer; userId: string } {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wrapped = whole.length > 4 && whole.readUInt16BE(2) === WIRE_FORMAT_KEY_PACKAGE;
  const keyPackage = wrapped ? whole.subarray(4) : whole;
  const reader = new MlsReader(keyPackage);
  reader.expect16(MLS_VERSION, 'the key package version');
  reader.expect16(CIPHERSUITE, 'the ciphersuite');
  reader.vector();
  const identity = readLeafNode(reader);
  reader.vector();
  reader.vector();
  if (reader.remaining > 0) throw new MlsFormatError('bytes after the key package');
  if (identity.length !== 8) throw new MlsFormatError(`an identity of ${identity.length} bytes`);
  return { keyPackage, userId: identity.readBigUInt64BE().toString() };
}

export interface CommitWelcome {
  readonly groupId: Buffer;
  readonly epoch: bigint;
  readonly senderLeaf: number;
  /** References of the proposals it applies, in its order, as hexadecimal. */
  readonly proposalRefs: readonly string[];
  readonly commit: Buffer;
  readonly welcome: Buffer | undefined;
}

/**
 * Splits what opcode 28 carries: a commit as an MLSMessage and, when it adds members, the welcome right behind it.
 * @throws {MlsFormatError} also when a proposal is inline: a commit may only use what the delivery service proposed.
 */
export function readCommitWelcome(bytes: Uint8Array): CommitWelcome {
  const reader = new MlsReader(bytes);
  reader.expect16(MLS_VERSION, 'the MLS version');
  reader.expect16(WIRE_FORMAT_PUBLIC_MESSAGE, 'the wire format');
  const groupId = reader.vector();
  const epoch = reader.uint64();
  if (reader.uint8() !== 1) throw new MlsFormatError('the commit is not from a member');
  const senderLeaf = reader.uint32();
  reader.vector();
  if (reader.uint8() !== 3) throw new MlsFormatError('not a commit');
  const proposalRefs: string[] = [];
  const proposals = new MlsReader(reader.vector());
  while (proposals.remaining > 0) {
    if (proposals.uint8() !== 2) throw new MlsFormatError('an inline proposal');
    proposalRefs.push(proposals.vector().toString('hex'));
  }
  if (reader.uint8() === 1) {
    readLeafNode(reader);
    reader.vector();
  }
  reader.vector();
  reader.vector();
  reader.vector();
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    groupId,
    epoch,
    senderLeaf,
    proposalRefs,
    commit: whole.subarray(0, reader.offset),
    welcome: reader.remaining > 0 ? whole.subarray(reader.offset) : undefined,
  };
}

/** Steps over a LeafNode (RFC 9420 §7.2) and gives its credential's identity. */
function readLeafNode(reader: MlsReader): Buffer {
  reader.vector();
  reader.vector();
  reader.expect16(CREDENTIAL_BASIC, 'the credential type');
  const identity = reader.vector();
  for (let capability = 0; capability < 5; capability += 1) reader.vector();
  const source = reader.uint8();
  if (source === 1) reader.take(16);
  else if (source === 3) reader.vector();
  reader.vector();
  reader.vector();
  return identity;
}
