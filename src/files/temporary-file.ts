import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Log } from '../telemetry/log.ts';

const PREFIX = 'parley-file-';
/** In each folder, beside the file: a socket on which the process listens for as long as it lives. */
const SIGN_OF_LIFE = 'alive';

/** A file for those who read files only. Nobody else on the machine can read it; disposing deletes it. */
export class TemporaryFile implements AsyncDisposable {
  readonly path: string;
  readonly #folder: string;
  readonly #sign: Server;

  private constructor(folder: string, sign: Server) {
    this.#folder = folder;
    this.#sign = sign;
    this.path = fileIn(folder);
  }

  /** A path at which there is nothing yet. */
  static async empty(): Promise<TemporaryFile> {
    const folder = await mkdtemp(join(tmpdir(), PREFIX));
    return new TemporaryFile(folder, await showLife(join(folder, SIGN_OF_LIFE)));
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
    await remove(this.#folder);
    this.#sign.close();
  }
}

/**
 * Deletes the files of processes that were killed before they could. Never those of one that lives, whoever started it. Call
 * it at start. Returns how many there were.
 */
export async function deleteLeftFiles(log: Log): Promise<number> {
  let files = 0;
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    const folder = join(tmpdir(), name);
    if (!name.startsWith(PREFIX) || !(await isLeft(folder))) continue;
    try {
      await remove(folder);
      files++;
    } catch (err) {
      log.warn({ err, folder }, 'a file that a killed process left cannot be deleted');
    }
  }
  if (files > 0) log.info({ files }, 'files that a killed process left are deleted');
  return files;
}

/**
 * The system itself ends this, however the process ends. A process number in the folder's name would not do: in a container
 * that is started again the same numbers mean other processes, and its files are still there. Where there are no such
 * sockets the file serves all the same, and is never taken for one that was left.
 */
async function showLife(path: string): Promise<Server> {
  const server = createServer((asker) => asker.destroy());
  // Being asked in vain ends nothing.
  server
    .on('error', () => {})
    .listen(path)
    .unref();
  await once(server, 'listening').catch(() => {});
  return server;
}

/** Only what was listening once and does so no more: a folder without its sign may be one that is just being made. */
async function isLeft(folder: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(join(folder, SIGN_OF_LIFE));
  socket.once('connect', () => resolve(false));
  socket.once('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED'));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

/** The file first: what is left of a removal that was cut is then an empty folder. */
async function remove(folder: string): Promise<void> {
  await rm(fileIn(folder), { force: true });
  await rm(folder, { recursive: true, force: true });
}

function fileIn(folder: string): string {
  return join(folder, 'file');
}
