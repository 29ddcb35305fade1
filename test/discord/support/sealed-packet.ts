import { createCipheriv } from 'node:crypto';

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';

import type { TransportKey } from '../../../src/discord/voice-rtp.ts';

export interface PacketFields {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
  readonly csrc?: readonly number[];
  /** Body of a header extension, in whole words. */
  readonly extension?: Uint8Array;
  /** Padding in bytes, its own count included. */
  readonly padding?: number;
  /** Sets the padding bit with no padding: the payload's last byte is then taken for its count. */
  readonly lastByteIsPadding?: boolean;
}

let counter = 0;

/** A voice packet as Discord's voice server sends it, built from the RFC and Discord's documentation. */
export function sealPacket(fields: PacketFields, { mode, secretKey }: TransportKey): Buffer {
  const { csrc = [], extension, padding = 0 } = fields;
  const header = Buffer.alloc(12 + 4 * csrc.length + (extension ? 4 : 0));
  header.writeUInt8(0x80 | (padding || fields.lastByteIsPadding ? 0x20 : 0) | (extension ? 0x10 : 0) | csrc.length, 0);
  header.writeUInt8(0x78, 1);
  header.writeUInt16BE(fields.sequence, 2);
  header.writeUInt32BE(fields.timestamp, 4);
  header.writeUInt32BE(fields.ssrc, 8);
  csrc.forEach((source, index) => header.writeUInt32BE(source, 12 + 4 * index));
  if (extension) {
    header.writeUInt16BE(0xbede, header.length - 4);
    header.writeUInt16BE(extension.length / 4, header.length - 2);
  }
  const pad = Buffer.alloc(padding);
  if (padding) pad.writeUInt8(padding, padding - 1);
  const clear = Buffer.concat([extension ?? Buffer.alloc(0), fields.payload, pad]);

  const suffix = Buffer.alloc(4);
  suffix.writeUInt32BE(++counter);
  if (mode === 'aead_xchacha20_poly1305_rtpsize') {
    const nonce = Buffer.concat([suffix, Buffer.alloc(20)]);
    return Buffer.concat([header, xchacha20poly1305(secretKey, nonce, header).encrypt(clear), suffix]);
  }
  const cipher = createCipheriv('aes-256-gcm', secretKey, Buffer.concat([suffix, Buffer.alloc(8)]));
  cipher.setAAD(header);
  return Buffer.concat([header, cipher.update(clear), cipher.final(), cipher.getAuthTag(), suffix]);
}

/** A repeatable source of chance: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
