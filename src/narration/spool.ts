import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';

import { TemporaryFile } from '../files/temporary-file.ts';

const CIPHER = 'aes-256-ctr';

interface Place {
  readonly offset: number;
  readonly bytes: number;
  readonly frames: number;
}

/**
 * The sound of passages that have been read, in order, on the disk: memory does not grow with them. A key that is nowhere
 * else makes what a crash may leave behind unreadable. Disposing deletes it.
 */
export class Spool implements AsyncDisposable {
  readonly #file: TemporaryFile;
  readonly #handle: FileHandle;
  readonly #key = randomBytes(32);
  readonly #places: Place[] = [];
  #end = 0;
  #changed = Promise.withResolvers<void>();

  private constructor(file: TemporaryFile, handle: FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  static async create(): Promise<Spool> {
    const file = await TemporaryFile.empty();
    return new Spool(file, await open(file.path, 'wx+', 0o600));
  }

  /** Passages in it. */
  get count(): number {
    return this.#places.length;
  }

  /** Frames of sound in it. */
  get frames(): number {
    return this.#places.reduce((sum, { frames }) => sum + frames, 0);
  }

  /** Frames of one passage. */
  framesOf(passage: number): number {
    return this.#places[passage]?.frames ?? 0;
  }

  bytesOf(passage: number): number {
    return this.#places[passage]?.bytes ?? 0;
  }

  /** Resolves when there is one more, or when {@link wake} is called. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Adds the next passage: Opus packets of 20 ms each. */
  async add(sound: Uint8Array, frames: number): Promise<void> {
    const place = { offset: this.#end, bytes: sound.length, frames };
    const cipher = createCipheriv(CIPHER, this.#key, ivOf(this.#places.length));
    await this.#handle.write(cipher.update(sound), 0, sound.length, place.offset);
    this.#end += sound.length;
    this.#places.push(place);
    this.wake();
  }

  /** The packets of one passage. */
  async read(passage: number): Promise<Uint8Array> {
    const place = this.#places[passage];
    if (!place) return new Uint8Array();
    const { buffer } = await this.#handle.read(Buffer.alloc(place.bytes), 0, place.bytes, place.offset);
    return createDecipheriv(CIPHER, this.#key, ivOf(passage)).update(buffer);
  }

  wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
    await this.#file[Symbol.asyncDispose]();
  }
}

/** Each passage has a counter of its own, far from the others'. */
function ivOf(passage: number): Uint8Array {
  const iv = Buffer.alloc(16);
  iv.writeUInt32BE(passage, 4);
  return iv;
}
