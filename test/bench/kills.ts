import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { killTurnMakers } from '../store/support/kills.ts';
import { DIALECTS, KEY, startDatabases } from '../store/support/stores.ts';

const KILLS = 200;
const TURNS = 250;
/** Commits of a turn that are acknowledged: received, asked, speaking, ended. */
const COMMITS = 4 * TURNS;

/** What becomes of acknowledged turns when their process is killed, and whether each commit reached the disk. */
export async function benchKills(): Promise<string[]> {
  await using databases = await startDatabases();
  const lines = [
    '| killed | kills | acknowledged: received | ended | lost | doubled or missing places | left open | closed as interrupted | told twice |',
    '|---|---|---|---|---|---|---|---|---|',
  ];
  for (const dialect of DIALECTS) {
    const counts = await killTurnMakers(await databases.fresh(dialect), KILLS, dialect === 'sqlite' ? 1 : 2);
    const { kills, received, ended, lost, misplaced, open, closed, toldTwice } = counts;
    lines.push(`| ${[dialect, kills, received, ended, lost, misplaced, open, closed, toldTwice].join(' | ')} |`);
  }
  return [...lines, '', await countFsyncs()];
}

/** Counts, with strace, how often a process that holds turns makes the disk keep what it wrote. */
async function countFsyncs(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-fsync-'));
  const trace = join(dir, 'trace');
  const script = fileURLToPath(new URL('../store/support/turn-maker.ts', import.meta.url));
  const location = JSON.stringify({ kind: 'sqlite', file: join(dir, 'parley.db') });
  const tracing = ['-f', '-c', '-e', 'trace=fsync,fdatasync', '-o', trace];
  try {
    const child = spawn('strace', [...tracing, process.execPath, script, location, KEY, 'fsync', `${TURNS}`], {
      stdio: 'ignore',
    });
    const [code] = await once(child, 'exit');
    if (code !== 0) return `fsync: not counted, strace ended with ${code}`;
    // Columns: share of time, seconds, microseconds a call, calls, errors (often nothing), name.
    const rows = (await readFile(trace, 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
    const synced = rows.filter((columns) => /^f(data)?sync$/.test(columns.at(-1) ?? ''));
    const calls = synced.reduce((sum, columns) => sum + Number(columns[3]), 0);
    const outcome = calls >= COMMITS ? 'reached' : 'MISSED ';
    return `${outcome}  SQLite, fsync for each acknowledged commit: target >= 1, figure ${(calls / COMMITS).toFixed(3)} (${calls} for ${COMMITS})`;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error;
    return 'fsync: not counted, strace is not installed';
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
