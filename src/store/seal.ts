import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { StoreError } from './store-error.ts';

/** AES-256-GCM: 32 bytes of key, 12 of nonce, 16 of tag (NIST SP 800-38D). */
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 1;

/** Bytes that sealing adds: format, nonce, tag. */
export const SEAL_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

const UTF8 = 0;
const UTF16LE = 1;

/**
 * Seals bytes so that only the key opens them, and only in the same place: format, a random nonce, ciphertext, tag. `place`
 * names the row and the column, so that sealed bytes moved to another row do not open.
 */
export function seal(key: Uint8Array, plain: Uint8Array, place: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(place));
  const sealed = [Uint8Array.of(FORMAT), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()];
  return plainView(Buffer.concat(sealed));
}

/** @throws {StoreError} `corrupt` when the bytes, the key or the place are not those of sealing. */
export function unseal(key: Uint8Array, sealed: Uint8Array, place: string): Uint8Array {
  if (sealed[0] !== FORMAT || sealed.length < SEAL_BYTES) throw altered(place);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const plain = decipher.update(sealed.subarray(1 + NONCE_BYTES, -TAG_BYTES));
    // Gives nothing more in this mode, and throws when the tag is another.
    decipher.final();
    return plainView(plain);
  } catch (error) {
    throw altered(place, error);
  }
}

/** Seals any JavaScript string exactly: UTF-8, or UTF-16 for those with lone surrogates, which UTF-8 cannot say. */
export function sealText(key: Uint8Array, text: string, place: string): Uint8Array {
  const wellFormed = text.isWellFormed();
  const bytes = Buffer.from(text, wellFormed ? 'utf8' : 'utf16le');
  return seal(key, Buffer.concat([Uint8Array.of(wellFormed ? UTF8 : UTF16LE), bytes]), place);
}

/** @throws {StoreError} `corrupt`, as {@link unseal} does. */
export function unsealText(key: Uint8Array, sealed: Uint8Array, place: string): string {
  const { buffer, byteOffset, length } = unseal(key, sealed, place);
  const plain = Buffer.from(buffer, byteOffset, length);
  return plain.toString(plain[0] === UTF16LE ? 'utf16le' : 'utf8', 1);
}

/** The same bytes, not as Node's own kind of array. */
function plainView({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

function altered(place: string, cause?: unknown): StoreError {
  return new StoreError('corrupt', `sealed bytes do not open in ${place}: the row was altered`, { cause });
}
