import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file for those who read files only. Nobody else on the machine can read it; disposing deletes it. */
export class TemporaryFile implements AsyncDisposable {
  readonly path: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'file');
  }

  /** A path at which there is nothing yet. */
  static async empty(): Promise<TemporaryFile> {
    return new TemporaryFile(await mkdtemp(join(tmpdir(), 'parley-')));
  }

  static async of(bytes: Uint8Array): Promise<TemporaryFile> {
    const file = await TemporaryFile.empty();
    try {
      await writeFile(file.path, bytes);
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw error;
    }
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
