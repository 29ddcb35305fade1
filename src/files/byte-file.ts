import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Read at a time where a file is read from one end to the other. */
const CHUNK_BYTES = 32_768;

/** A file that is read piece by piece. Synchronous: only for a process that has nothing else to do. */
export class ByteFile implements Disposable {
  readonly size: number;
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    this.size = fstatSync(this.#fd).size;
  }

  /** The bytes from there on: fewer than asked for at the end of the file. */
  read(at: number, bytes: number): Buffer {
    const wanted = Math.max(0, Math.min(bytes, this.size - at));
    const buffer = Buffer.alloc(wanted);
    let got = 0;
    while (got < wanted) {
      const read = readSync(this.#fd, buffer, got, wanted - got, at + got);
      if (read === 0) break;
      got += read;
    }
    return buffer.subarray(0, got);
  }

  /** Everything from there on. */
  *chunks(start: number, bytes = CHUNK_BYTES): Generator<Buffer, void, undefined> {
    for (let at = start; at < this.size; at += bytes) yield this.read(at, bytes);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
