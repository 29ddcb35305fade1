/** What the command line asks of a part: `npm run bench -- voice --turns 50 --channels 1,10`. */
export interface BenchOptions {
  /** Turns of a scenario; `undefined`: as many as the part takes to be sure. */
  readonly turns: number | undefined;
  /** Voice channels at a time, each a scenario of its own. */
  readonly channels: readonly number[];
  /** Scenarios of the part to run; all of them when empty. */
  readonly scenarios: readonly string[];
}

/** One part of the bench: a section of the report. */
export interface BenchPart {
  readonly title: string;
  /** Measures, and says what was found as lines of Markdown. What it rejects with is told in their place. */
  run(options: BenchOptions): Promise<readonly string[]>;
  /** What of it belongs into the README, as a list; asked for after {@link run}. */
  readonly highlights?: () => Promise<readonly string[]>;
}
