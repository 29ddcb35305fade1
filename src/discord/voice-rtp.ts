import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';

import { RTP_TICKS_PER_FRAME } from '../audio/frame.ts';

/** RTP payload type of Opus in Discord voice. */
const OPUS_PAYLOAD_TYPE = 0x78;
const FIXED_HEADER_BYTES = 12;
const EXTENSION_HEADER_BYTES = 4;
const TAG_BYTES = 16;
/** The counter at the end of a datagram; the rest of the nonce is zero (Discord's `rtpsize` modes). */
const COUNTER_BYTES = 4;
const AES_NONCE_BYTES = 12;
const XCHACHA_NONCE_BYTES = 24;

export type TransportMode = 'aead_aes256_gcm_rtpsize' | 'aead_xchacha20_poly1305_rtpsize';

/** What the voice server gave us to open its datagrams with. */
export interface TransportKey {
  readonly mode: TransportMode;
  /** 32 bytes. */
  readonly secretKey: Uint8Array;
}

/** Where a stream that we send has come to: what the next datagram carries. */
export interface SendingState {
  readonly ssrc: number;
  sequence: number;
  timestamp: number;
  /** Counts datagrams that were sealed with this key. */
  nonce: number;
}

/** Of raw bytes Node finds out for each packet what kind of key they are: 16 microseconds more than opening it takes. */
const aesKeys = new WeakMap<Uint8Array, KeyObject>();

export interface RtpHeader {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
  /** What is sent in the clear and authenticated: fixed header, CSRC list and the extension's own header. */
  readonly clearBytes: number;
  /** Body of the header extension: encrypted, in front of the payload. */
  readonly extensionBytes: number;
  readonly padded: boolean;
}

export function isTransportMode(mode: string | undefined): mode is TransportMode {
  return mode === 'aead_aes256_gcm_rtpsize' || mode === 'aead_xchacha20_poly1305_rtpsize';
}

/**
 * Reads the RTP header (RFC 3550 §5.1, §5.3.1) of a datagram that anybody may have sent. Never throws.
 * @returns what is wrong with it instead of a header when it cannot be a voice packet.
 */
export function readRtpHeader(datagram: Buffer): RtpHeader | 'short' | 'bad-header' {
  if (datagram.length < FIXED_HEADER_BYTES + TAG_BYTES + COUNTER_BYTES) return 'short';
  const flags = datagram.readUInt8(0);
  const payloadType = datagram.readUInt8(1) & 0x7f;
  if (flags >> 6 !== 2 || payloadType !== OPUS_PAYLOAD_TYPE) return 'bad-header';
  const extended = (flags & 0x10) !== 0;
  const csrcEnd = FIXED_HEADER_BYTES + 4 * (flags & 0x0f);
  const clearBytes = csrcEnd + (extended ? EXTENSION_HEADER_BYTES : 0);
  if (datagram.length < clearBytes + TAG_BYTES + COUNTER_BYTES) return 'short';
  return {
    sequence: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    ssrc: datagram.readUInt32BE(8),
    clearBytes,
    extensionBytes: extended ? 4 * datagram.readUInt16BE(csrcEnd + 2) : 0,
    padded: (flags & 0x20) !== 0,
  };
}

/**
 * Opens a datagram and strips header extension and padding. Never throws.
 * @returns `auth-fail` when it was not sealed with this key, `bad-header` when its lengths contradict each other.
 */
export function openDatagram(
  datagram: Buffer,
  header: RtpHeader,
  key: TransportKey,
): Buffer | 'auth-fail' | 'bad-header' {
  const clear = decrypt(datagram, header.clearBytes, key);
  if (!clear) return 'auth-fail';
  const paddingBytes = header.padded ? (clear.at(-1) ?? 0) : 0;
  const end = clear.length - paddingBytes;
  return header.extensionBytes > end ? 'bad-header' : clear.subarray(header.extensionBytes, end);
}

/** Seals the next packet of a stream, 20 ms of Opus, into a datagram, and counts on. */
export function sealDatagram(payload: Uint8Array, state: SendingState, { mode, secretKey }: TransportKey): Buffer {
  state.nonce = (state.nonce + 1) >>> 0;
  const header = Buffer.alloc(FIXED_HEADER_BYTES);
  header.writeUInt8(2 << 6, 0);
  header.writeUInt8(OPUS_PAYLOAD_TYPE, 1);
  header.writeUInt16BE(state.sequence, 2);
  header.writeUInt32BE(state.timestamp, 4);
  header.writeUInt32BE(state.ssrc, 8);
  const nonce = Buffer.alloc(mode === 'aead_aes256_gcm_rtpsize' ? AES_NONCE_BYTES : XCHACHA_NONCE_BYTES);
  nonce.writeUInt32BE(state.nonce, 0);
  state.sequence = (state.sequence + 1) & 0xffff;
  state.timestamp = (state.timestamp + RTP_TICKS_PER_FRAME) >>> 0;
  const counter = nonce.subarray(0, COUNTER_BYTES);
  if (mode === 'aead_xchacha20_poly1305_rtpsize') {
    return Buffer.concat([header, xchacha20poly1305(secretKey, nonce, header).encrypt(payload), counter]);
  }
  const cipher = createCipheriv('aes-256-gcm', aesKeyOf(secretKey), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(header);
  return Buffer.concat([header, cipher.update(payload), cipher.final(), cipher.getAuthTag(), counter]);
}

function decrypt(datagram: Buffer, clearBytes: number, { mode, secretKey }: TransportKey): Buffer | undefined {
  const sealed = {
    additionalData: datagram.subarray(0, clearBytes),
    sealed: datagram.subarray(clearBytes, -COUNTER_BYTES),
  };
  const counter = datagram.subarray(-COUNTER_BYTES);
  try {
    return mode === 'aead_aes256_gcm_rtpsize'
      ? openAes(sealed, counter, secretKey)
      : openXChaCha(sealed, counter, secretKey);
  } catch {
    return undefined;
  }
}

interface Sealed {
  readonly additionalData: Buffer;
  /** Cipher text and authentication tag. */
  readonly sealed: Buffer;
}

function openAes({ additionalData, sealed }: Sealed, counter: Buffer, secretKey: Uint8Array): Buffer {
  const nonce = Buffer.alloc(AES_NONCE_BYTES);
  counter.copy(nonce);
  const decipher = createDecipheriv('aes-256-gcm', aesKeyOf(secretKey), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const clear = decipher.update(sealed.subarray(0, -TAG_BYTES));
  decipher.final();
  return clear;
}

function aesKeyOf(secretKey: Uint8Array): KeyObject {
  const known = aesKeys.get(secretKey);
  if (known) return known;
  const key = createSecretKey(secretKey);
  aesKeys.set(secretKey, key);
  return key;
}

function openXChaCha({ additionalData, sealed }: Sealed, counter: Buffer, secretKey: Uint8Array): Buffer {
  const nonce = Buffer.alloc(XCHACHA_NONCE_BYTES);
  counter.copy(nonce);
  const clear = xchacha20poly1305(secretKey, nonce, additionalData).decrypt(sealed);
  return Buffer.from(clear.buffer, clear.byteOffset, clear.byteLength);
}
