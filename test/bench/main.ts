import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';

import { benchLatency, type LatencyResult } from './latency.ts';

const TURNS = 60;
const RECIPE_TURNS = 20;

/** The targets for added latency. */
const TARGETS = { p50Ms: 15, p95Ms: 40, timesLess: 20 };

if (spawnSync('ffmpeg', ['-version']).status !== 0) {
  process.stderr.write('The bench compares Parley with a bot that uses ffmpeg: install ffmpeg first.\n');
  process.exitCode = 1;
} else {
  await main();
}

async function main(): Promise<void> {
  const noise = await timerNoise();
  const results = await benchLatency(TURNS, RECIPE_TURNS);
  const lines = [
    '| added latency | turns | p50 | p95 | p99 |',
    '|---|---|---|---|---|',
    row('this machine: a timer of 20 ms, late by', noise),
    ...results.map(({ name, addedMs }) => row(name, addedMs)),
  ];
  process.stdout.write(`${lines.join('\n')}\n\n${verdict(results).join('\n')}\n`);
}

/** How late timers fire while nothing else runs here: no figure below can be finer than this. */
async function timerNoise(): Promise<number[]> {
  const late: number[] = [];
  for (let i = 0; i < 100; i++) {
    const dueMs = performance.now() + 20;
    await new Promise((resolve) => setTimeout(resolve, 20));
    late.push(performance.now() - dueMs);
  }
  return late;
}

function row(name: string, valuesMs: readonly number[]): string {
  const figures = [50, 95, 99].map((percent) => `${percentile(valuesMs, percent).toFixed(1)} ms`);
  return `| ${[name, valuesMs.length, ...figures].join(' | ')} |`;
}

function verdict([parley, recipe]: readonly LatencyResult[]): string[] {
  const p50 = percentile(parley?.addedMs ?? [], 50);
  const p95 = percentile(parley?.addedMs ?? [], 95);
  const timesLess = percentile(recipe?.addedMs ?? [], 50) / p50;
  const line = (what: string, target: string, figure: string, reached: boolean): string =>
    `${reached ? 'reached' : 'MISSED '}  ${what}: target ${target}, figure ${figure}`;
  return [
    line('added latency p50', `<= ${TARGETS.p50Ms} ms`, `${p50.toFixed(1)} ms`, p50 <= TARGETS.p50Ms),
    line('added latency p95', `<= ${TARGETS.p95Ms} ms`, `${p95.toFixed(1)} ms`, p95 <= TARGETS.p95Ms),
    line(
      'less than the recipe, p50',
      `>= ${TARGETS.timesLess} times`,
      `${timesLess.toFixed(0)} times`,
      timesLess >= TARGETS.timesLess,
    ),
  ];
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}
