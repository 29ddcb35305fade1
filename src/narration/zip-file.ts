import { openPromise, type Entry, type ZipFile as Archive } from 'yauzl';

import { AttachmentError } from '../files/attachment-error.ts';

/** More files than any book has. */
const MAX_ENTRIES = 5_000;
/** Unpacked, of all that is read: a book of a thousand pages has 3 MB of text. */
const MAX_BYTES = 48 * 1024 * 1024;

/** The files in a zip file, unpacked one by one as they are asked for, and never more than there may be. */
export class ZipFile implements AsyncDisposable {
  readonly #archive: Archive;
  readonly #entries: ReadonlyMap<string, Entry>;
  #bytes = 0;

  private constructor(archive: Archive, entries: ReadonlyMap<string, Entry>) {
    this.#archive = archive;
    this.#entries = entries;
  }

  /** @throws {AttachmentError} */
  static async open(path: string): Promise<ZipFile> {
    const archive = await openPromise(path, { lazyEntries: true, autoClose: false }).catch(damaged);
    try {
      if (archive.entryCount > MAX_ENTRIES) throw new AttachmentError('damaged-text', 'too many files in a zip file');
      const entries = new Map<string, Entry>();
      for await (const entry of archive.eachEntry()) entries.set(entry.fileName, entry);
      return new ZipFile(archive, entries);
    } catch (error) {
      archive.close();
      return damaged(error);
    }
  }

  /** Whether a password is needed. */
  get isEncrypted(): boolean {
    return [...this.#entries.values()].some((entry) => entry.isEncrypted());
  }

  /** A file as UTF-8 text; `undefined` when it is not there. @throws {AttachmentError} */
  async text(name: string): Promise<string | undefined> {
    const entry = this.#entries.get(name);
    if (!entry) return undefined;
    // What it says of its size is held against what comes out of it.
    this.#bytes += entry.uncompressedSize;
    if (this.#bytes > MAX_BYTES) throw new AttachmentError('text-too-long', `more than ${MAX_BYTES} bytes unpacked`);
    try {
      const stream = await this.#archive.openReadStreamPromise(entry);
      const chunks: Uint8Array[] = await Array.fromAsync(stream);
      return new TextDecoder().decode(Buffer.concat(chunks));
    } catch (error) {
      return damaged(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#archive.close();
  }
}

function damaged(error: unknown): never {
  if (error instanceof AttachmentError) throw error;
  throw new AttachmentError('damaged-text', 'a zip file that cannot be read', { cause: error });
}
