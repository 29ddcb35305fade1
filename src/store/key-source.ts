import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { Keyring, newMasterKey } from './keyring.ts';
import { StoreError } from './store-error.ts';

/** Where the master keys are. */
export interface KeySource {
  /** Keys from the settings, as {@link Keyring.parse} reads them. Needed when several machines share a database. */
  readonly given: string | undefined;
  /** A file that only we can read. Its keys come after the given ones; made at first start when none are given. */
  readonly file: string | undefined;
}

const FILE_MODE = 0o600;
const HEADING = '# Opens what Parley keeps. Keep a copy apart from the database; never put it in a repository.\n';

/**
 * Reads the master keys; makes the key file when it is missing and `mayCreate`.
 * @throws {StoreError} `wrong-key` when there is no key file and none may be made, or a key is malformed.
 */
export async function readKeys({ given, file }: KeySource, mayCreate: boolean): Promise<Keyring> {
  const kept = file === undefined ? undefined : await readIfThere(file);
  if (file === undefined || given !== undefined || kept !== undefined) {
    return Keyring.parse([given, kept].filter((keys) => keys !== undefined).join('\n'));
  }
  if (!mayCreate) throw missingFile(file);
  const temporary = await writeBeside(file, `${HEADING}${newMasterKey()}\n`);
  try {
    // Unlike a rename this fails when another process was faster, whose key then is the one.
    await link(temporary, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw unusable(file, error);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(file);
  return readKeys({ given, file }, false);
}

/**
 * Puts a new key before the others in the key file. The old ones stay: something may still need them.
 * @throws {StoreError} `wrong-key` when there is no key file, `locked` when somebody else puts a key into it just now.
 */
export async function addKey(path: string): Promise<void> {
  const lock = `${path}.lock`;
  try {
    // Of two that read the file before either wrote it, one would drop the other's key.
    await (await open(lock, 'wx', FILE_MODE)).close();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw missingFile(path);
    if (!hasCode(error, 'EEXIST')) throw unusable(path, error);
    throw new StoreError(
      'locked',
      `the key file ${path} is being changed: try again in a moment; when nothing else changes it, delete ${lock}`,
      { cause: error },
    );
  }
  try {
    const old = await readIfThere(path);
    if (old === undefined) throw missingFile(path);
    const keys = old.startsWith(HEADING) ? old.slice(HEADING.length) : old;
    const temporary = await writeBeside(path, `${HEADING}${newMasterKey()}\n${keys}`);
    await rename(temporary, path);
    await syncFolder(path);
  } finally {
    await rm(lock, { force: true });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw unusable(path, error);
  }
}

async function writeBeside(path: string, text: string): Promise<string> {
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await using file = await open(temporary, 'wx', FILE_MODE);
    await file.writeFile(text);
    // What is sealed with it may reach the disk at once; the key must be there before.
    await file.sync();
  } catch (error) {
    throw unusable(path, error);
  }
  return temporary;
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(dirname(path), 'r');
  await folder.sync();
}

function missingFile(path: string): StoreError {
  return new StoreError(
    'wrong-key',
    `the key file ${path} is missing, and what is kept cannot be opened without it: bring it back from a backup, or start with an empty database`,
  );
}

function unusable(path: string, cause: unknown): StoreError {
  return new StoreError('unavailable', `the key file ${path} cannot be read or made`, { cause });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
