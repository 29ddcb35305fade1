import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { deleteLeftFiles, TemporaryFile } from '../../src/files/temporary-file.ts';
import { Spool } from '../../src/narration/spool.ts';
import { silentLog } from '../support/silent-log.ts';

const RECORDING = Buffer.from('what was said in confidence');

const OTHER = `
  import { TemporaryFile } from ${JSON.stringify(import.meta.resolve('../../src/files/temporary-file.ts'))};
  const file = await TemporaryFile.of(Buffer.from(${JSON.stringify(RECORDING.toString())}));
  process.stdout.write(file.path);
  setInterval(() => {}, 1e6);
`;

let dir: string;
let others: ChildProcess[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-left-'));
  vi.stubEnv('TMPDIR', dir);
  others = [];
});
afterEach(async () => {
  for (const other of others) await end(other);
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true });
});

/** Another bot on the machine that works on a file. */
async function startOther(): Promise<{ child: ChildProcess; path: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', OTHER], {
    env: { TMPDIR: dir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  others.push(child);
  const [path] = await once(child.stdout, 'data');
  return { child, path: String(path) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

test('what a killed process left is deleted, and nothing that somebody works on', async () => {
  const [killed, living, stopped] = await Promise.all([startOther(), startOther(), startOther()]);
  await using mine = await TemporaryFile.of(RECORDING);
  await using spool = await Spool.create();
  await spool.add(RECORDING, 1);
  await end(killed.child);
  stopped.child.kill('SIGSTOP');
  expect(await readFile(killed.path)).toEqual(RECORDING);

  expect(await deleteLeftFiles(silentLog)).toBe(1);
  await expect(readFile(killed.path)).rejects.toMatchObject({ code: 'ENOENT' });
  for (const { path } of [living, stopped, mine]) expect(await readFile(path)).toEqual(RECORDING);
  expect(Buffer.from(await spool.read(0))).toEqual(RECORDING);
  expect(await deleteLeftFiles(silentLog)).toBe(0);
});

test('several that start at once delete it once, and none of them fails', async () => {
  const { child } = await startOther();
  await end(child);
  const counts = await Promise.all(Array.from({ length: 5 }, () => deleteLeftFiles(silentLog)));
  expect(Math.max(...counts)).toBe(1);
  expect(await readdir(dir)).toEqual([]);
});

test('a folder that is just being made, and what is not ours, are left alone', async () => {
  const made = await mkdtemp(join(dir, 'parley-file-'));
  const other = await mkdtemp(join(dir, 'parley-'));
  expect(await deleteLeftFiles(silentLog)).toBe(0);
  expect((await readdir(dir)).map((name) => join(dir, name)).toSorted()).toEqual([made, other].toSorted());
});

test('nothing is left of a file that is no longer needed, and it serves where a path is too long for a socket', async () => {
  vi.stubEnv('TMPDIR', await mkdtemp(join(dir, 'long'.repeat(40))));
  {
    await using file = await TemporaryFile.of(RECORDING);
    expect(await readFile(file.path)).toEqual(RECORDING);
    expect(await deleteLeftFiles(silentLog)).toBe(0);
    expect(await readFile(file.path)).toEqual(RECORDING);
  }
  expect(await readdir(tmpdir())).toEqual([]);
  vi.stubEnv('TMPDIR', dir);
  await (await TemporaryFile.empty())[Symbol.asyncDispose]();
  expect(await readdir(dir)).toHaveLength(1);
});
