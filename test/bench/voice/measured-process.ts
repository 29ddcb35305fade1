import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

const PROBE = fileURLToPath(new URL('../probe.ts', import.meta.url));
const STOP_MS = 15_000;
const ANSWER_MS = 10_000;
/** Linux counts the time of ended children in hundredths of a second. */
const TICK_MS = 10;
/** Places in `/proc/PID/stat` after the name, which ends in a bracket: `cutime` and `cstime`. */
const CHILD_TIMES = [13, 14] as const;

const reportSchema = z.object({
  loopDelay: z.object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() }),
});

/** How late an event loop was, in milliseconds. */
export type LoopDelay = z.infer<typeof reportSchema>['loopDelay'];

/** The process that is measured has ended, or does not answer. */
export class ProcessGoneError extends Error {
  override readonly name = 'ProcessGoneError';
}

/** A Node process whose cost is seen from outside: its threads' time, its memory, the delay of its event loop. */
export class MeasuredProcess implements AsyncDisposable {
  /** Lines of its standard output. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();

  constructor(file: string, env: Record<string, string>) {
    this.#child = spawn('node', ['--import', PROBE, file], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const { stdout } = this.#child;
    if (!stdout) throw new TypeError('the process has no standard output');
    createInterface(stdout).on('line', (line) => {
      this.lines.push(line);
      for (const look of this.#waiting) look();
    });
    this.#child.once('exit', () => {
      for (const look of this.#waiting) look();
    });
  }

  /** The first line that fits. @throws {ProcessGoneError} when it ends without one, or says none in time. */
  async line(fits: (line: string) => boolean, timeoutMs: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = (): void => {
      const found = this.lines.find(fits);
      if (found !== undefined) resolve(found);
      else if (this.#ended) reject(new ProcessGoneError(`it ended with ${this.#child.exitCode}`));
    };
    const timer = setTimeout(() => reject(new ProcessGoneError('it has not said what was waited for')), timeoutMs);
    this.#waiting.add(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  /** Milliseconds of processor time of all its threads so far, and of the children that have ended. */
  async cpuMs(): Promise<number> {
    const folder = `/proc/${this.#pid}`;
    let nanoseconds = 0;
    for (const thread of await readdir(`${folder}/task`)) {
      // A thread may end at any moment.
      const counts = await readFile(`${folder}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
      nanoseconds += Number(counts.split(' ')[0]);
    }
    const stat = await readFile(`${folder}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = CHILD_TIMES.reduce((sum, field) => sum + Number(fields[field]), 0);
    return nanoseconds / 1e6 + ticks * TICK_MS;
  }

  /** Megabytes in memory. */
  async rssMb(): Promise<number> {
    const status = await readFile(`/proc/${this.#pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  }

  watchLoop(): void {
    this.#child.send('start');
  }

  /** How late its event loop was since {@link watchLoop}. */
  async loopDelay(): Promise<LoopDelay> {
    const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
    this.#child.send('stop');
    const [message]: unknown[] = await answer;
    return reportSchema.parse(message).loopDelay;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await exit;
    clearTimeout(timer);
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get #pid(): number {
    if (this.#child.pid === undefined || this.#ended) throw new ProcessGoneError('it is not running');
    return this.#child.pid;
  }
}
