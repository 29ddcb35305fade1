import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Env } from '../../src/config/env.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** Generous: a busy machine takes several seconds to start a process. */
const DEADLINE_MS = 25_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From the last signal that was sent, or from the start. */
  readonly tookMs: number;
}

/** `node src/main.ts` as a process of its own, in an empty folder, with no variables but those given. */
export class ParleyProcess implements AsyncDisposable {
  readonly folder: string;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #output = '';
  #errors = '';
  #sinceMs = performance.now();

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.folder = folder;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#take(() => (this.#output += text)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#take(() => (this.#errors += text)));
    // 'close' comes after the last output.
    this.exited = once(child, 'close').then(() => {
      for (const watcher of this.#watchers) watcher();
      return { code: child.exitCode, signal: child.signalCode, tookMs: performance.now() - this.#sinceMs };
    });
  }

  /** @param sandbox whose certificate it trusts, as one does with `NODE_EXTRA_CA_CERTS`. */
  static async start(env: Env & NodeJS.ProcessEnv, sandbox?: Pick<Sandbox, 'caPem'>): Promise<ParleyProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'parley-start-'));
    const trusted = join(folder, 'ca.pem');
    if (sandbox) await writeFile(trusted, sandbox.caPem);
    const child = spawn(process.execPath, [MAIN], {
      cwd: folder,
      env: { HOME: folder, ...(sandbox && { NODE_EXTRA_CA_CERTS: trusted }), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ParleyProcess(child, folder);
  }

  /** The log: what it wrote to standard output. */
  get output(): string {
    return this.#output;
  }

  /** What it told the person at the terminal. */
  get errors(): string {
    return this.#errors;
  }

  /** Entries of the log with this message. */
  logged(message: string): string[] {
    return this.#output.split('\n').filter((line) => line.includes(`"msg":"${message}"`));
  }

  /** Waits for this message in the log. @throws {Error} when the process ends without it. */
  async logs(message: string): Promise<string> {
    await this.#until(() => this.logged(message).length > 0, `"${message}" in the log`);
    return this.logged(message)[0] ?? '';
  }

  /** Waits for this in what it tells the person at the terminal. */
  async says(text: string): Promise<void> {
    await this.#until(() => this.#errors.includes(text), `"${text}" on standard error`);
  }

  /** Sends a signal; resolves when the process has ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.send(signal);
    return this.exited;
  }

  send(signal: NodeJS.Signals): void {
    this.#sinceMs = performance.now();
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.exited;
    await rm(this.folder, { recursive: true, force: true });
  }

  #take(keep: () => void): void {
    keep();
    for (const watcher of this.#watchers) watcher();
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (why: string): void => {
      reject(new Error(`${what}: ${why}\n--- errors\n${this.#errors}\n--- output\n${this.#output}`));
    };
    const look = (): void => {
      if (holds()) resolve();
      else if (this.#child.exitCode !== null) fail('the process has ended');
    };
    const timer = setTimeout(() => fail('not in time'), DEADLINE_MS);
    this.#watchers.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#watchers.delete(look);
    }
  }
}
