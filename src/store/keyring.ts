import { createHmac, randomBytes } from 'node:crypto';

import { KEY_BYTES, seal, unseal } from './seal.ts';
import { StoreError } from './store-error.ts';

const KEY_ID_BYTES = 8;

interface MasterKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** Makes a master key as it is written in a setting or a key file: 32 random bytes in base64. */
export function newMasterKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

/**
 * The master keys. The first wraps, all of them unwrap. They are not in the database, and wrap only the keys of single
 * conversations: those seal what people said, so changing the master key rewrites one small value for each conversation.
 */
export class Keyring {
  readonly #keys: readonly [MasterKey, ...MasterKey[]];

  private constructor(keys: readonly [MasterKey, ...MasterKey[]]) {
    this.#keys = keys;
  }

  /**
   * Reads keys separated by commas, blanks or lines, the newest first; what follows a `#` is a comment.
   * @throws {StoreError} `wrong-key` when a key is not 32 bytes in base64, or there is none.
   */
  static parse(text: string): Keyring {
    const words = text
      .replace(/#.*$/gm, '')
      .split(/[\s,]+/)
      .filter((word) => word !== '');
    const [first, ...rest] = words.map((word): MasterKey => {
      const secret = Uint8Array.from(Buffer.from(word, 'base64'));
      if (!/^[A-Za-z\d+/_-]+=*$/.test(word) || secret.length !== KEY_BYTES) {
        throw new StoreError(
          'wrong-key',
          'a store key is not 32 bytes in base64: make one with `openssl rand -base64 32`',
        );
      }
      return { id: keyId(secret), secret };
    });
    if (!first) throw new StoreError('wrong-key', 'there is no store key: make one with `openssl rand -base64 32`');
    return new Keyring([first, ...rest]);
  }

  /** Names the key that wraps. */
  get newestId(): string {
    return this.#keys[0].id;
  }

  has(id: string): boolean {
    return this.#keys.some((key) => key.id === id);
  }

  /** Seals a conversation's key: the master key's id, then the sealed bytes. */
  wrap(key: Uint8Array, place: string): Uint8Array {
    const [newest] = this.#keys;
    return Uint8Array.from(Buffer.concat([Buffer.from(newest.id, 'hex'), seal(newest.secret, key, place)]));
  }

  /** @throws {StoreError} `wrong-key` when the master key is not here, `corrupt` when the bytes were altered. */
  unwrap(wrapped: Uint8Array, place: string): Uint8Array {
    const id = Buffer.from(wrapped.subarray(0, KEY_ID_BYTES)).toString('hex');
    const master = this.#keys.find((key) => key.id === id);
    if (!master) throw missingKey([id]);
    return unseal(master.secret, wrapped.subarray(KEY_ID_BYTES), place);
  }
}

/** Says which keys are missing, and what to do. */
export function missingKey(ids: readonly string[]): StoreError {
  return new StoreError(
    'wrong-key',
    `what is kept was encrypted with another key (${ids.join(', ')}): bring that key back, in the setting or the key file it came from, after the newest; or start with an empty database`,
  );
}

function keyId(secret: Uint8Array): string {
  return createHmac('sha256', secret)
    .update('parley store key id')
    .digest('hex')
    .slice(0, KEY_ID_BYTES * 2);
}
