import { readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;

/** What some work took. */
export interface Measured {
  readonly seconds: number;
  /** Of this process and its children, above what they took before. */
  readonly peakBytes: number;
}

export async function measured(work: () => Promise<void>): Promise<Measured> {
  const idleBytes = memoryOf(process.pid);
  let peakBytes = idleBytes;
  const watch = setInterval(() => (peakBytes = Math.max(peakBytes, memoryOf(process.pid))), 100);
  const startedAtMs = performance.now();
  try {
    await work();
  } finally {
    clearInterval(watch);
  }
  peakBytes = Math.max(peakBytes, memoryOf(process.pid));
  return { seconds: (performance.now() - startedAtMs) / 1000, peakBytes: peakBytes - idleBytes };
}

/** Resident memory of a process and its children (Linux). */
export function memoryOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [`${pid}`, ...children].reduce((sum, one) => {
    try {
      return sum + Number(readFileSync(`/proc/${one}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
    } catch {
      return sum; // It has just ended.
    }
  }, 0);
}
