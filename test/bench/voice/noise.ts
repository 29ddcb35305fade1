import { setTimeout as elapsed } from 'node:timers/promises';

const TIMER_MS = 20;
const TIMES = 250;

/** How late timers fire while nothing else of the bench runs: no figure can be finer than this. */
export async function machineNoise(): Promise<number[]> {
  const late: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const dueMs = performance.now() + TIMER_MS;
    await elapsed(TIMER_MS);
    late.push(performance.now() - dueMs);
  }
  return late;
}
