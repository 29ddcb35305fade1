import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';

import { z } from 'zod';

const KEPT_FILE = new URL('../../../data/bench/voice.json', import.meta.url);

/** What one scenario has found. */
const resultSchema = z.object({
  /** Figures of each turn, packet or interruption, by what they are. */
  series: z.record(z.string(), z.array(z.number())),
  /** Single figures, by what they are. */
  values: z.record(z.string(), z.number()),
  /** Why it was not measured, or not whole. */
  failure: z.string().optional(),
});

export type Result = z.infer<typeof resultSchema>;

/** Results by the name of their scenario: kept, so that one scenario can be run again without the others. */
export class Results {
  readonly #byName: Map<string, Result>;

  private constructor(byName: Map<string, Result>) {
    this.#byName = byName;
  }

  /** Those of the last run. */
  static async load(): Promise<Results> {
    const kept = await readFile(KEPT_FILE, 'utf8').catch(() => '{}');
    const parsed = z.record(z.string(), resultSchema).safeParse(JSON.parse(kept));
    return new Results(new Map(Object.entries(parsed.data ?? {})));
  }

  static async none(): Promise<Results> {
    await rm(KEPT_FILE, { force: true });
    return new Results(new Map());
  }

  get(name: string): Result | undefined {
    return this.#byName.get(name);
  }

  get failures(): { name: string; failure: string }[] {
    return [...this.#byName].flatMap(([name, { failure }]) => (failure === undefined ? [] : { name, failure }));
  }

  async keep(name: string, result: Result): Promise<void> {
    this.#byName.set(name, result);
    await mkdir(new URL('.', KEPT_FILE), { recursive: true });
    await writeFile(KEPT_FILE, JSON.stringify(Object.fromEntries(this.#byName)));
  }
}

/** The value below which `percent` of the values lie. NaN for none. */
export function percentile(values: readonly number[] = [], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}
