import { createCipheriv, createDecipheriv } from 'node:crypto';

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';

/** How voice packets are encrypted between a client and the voice server, as Discord's voice gateway names it. */
export type TransportMode = 'aead_aes256_gcm_rtpsize' | 'aead_xchacha20_poly1305_rtpsize';

/** Both modes, in the order in which Discord offers them. */
export const TRANSPORT_MODES: readonly TransportMode[] = ['aead_aes256_gcm_rtpsize', 'aead_xchacha20_poly1305_rtpsize'];

const TAG_BYTES = 16;
/** The counter that follows every packet; it begins the nonce, whose other bytes are zero. */
export const NONCE_BYTES = 4;
export const KEY_BYTES = 32;

/** `header` is authenticated and stays readable; `plaintext` is encrypted. Returns ciphertext, tag and counter. */
export function seal(mode: TransportMode, key: Uint8Array, counter: number, header: Buffer, plaintext: Buffer): Buffer {
  const suffix = Buffer.alloc(NONCE_BYTES);
  suffix.writeUInt32BE(counter);
  const nonce = nonceOf(mode, suffix);
  if (mode === 'aead_xchacha20_poly1305_rtpsize') {
    return Buffer.concat([xchacha20poly1305(key, nonce, header).encrypt(plaintext), suffix]);
  }
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(header);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag(), suffix]);
}

/** What `sealed` holds, or undefined when key, header or bytes are not the ones it was made with. */
export function open(mode: TransportMode, key: Uint8Array, header: Buffer, sealed: Buffer): Buffer | undefined {
  if (sealed.length < TAG_BYTES + NONCE_BYTES) return undefined;
  const nonce = nonceOf(mode, sealed.subarray(sealed.length - NONCE_BYTES));
  const body = sealed.subarray(0, sealed.length - NONCE_BYTES);
  try {
    if (mode === 'aead_xchacha20_poly1305_rtpsize') {
      return Buffer.from(xchacha20poly1305(key, nonce, header).decrypt(body));
    }
    const decipher = createDecipheriv('aes-256-gcm', key, nonce);
    decipher.setAAD(header);
    decipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
    return Buffer.concat([decipher.update(body.subarray(0, body.length - TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function nonceOf(mode: TransportMode, suffix: Buffer): Buffer {
  const nonce = Buffer.alloc(mode === 'aead_aes256_gcm_rtpsize' ? 12 : 24);
  suffix.copy(nonce);
  return nonce;
}
