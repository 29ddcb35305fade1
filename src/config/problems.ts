import type { Variable } from './env.ts';

/** How a process ends when its settings are wrong (`EX_CONFIG` of sysexits.h): restarting it cannot help. */
export const EXIT_CONFIG = 78;

/** The settings cannot be used. Says everything that is wrong at once, and never the value of a variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** One sentence or two each: what is wrong and what to do. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const heading = problems.length === 1 ? 'A setting is wrong:' : `${problems.length} settings are wrong:`;
    super([heading, ...problems.map((problem) => `- ${problem}`)].join('\n'));
    this.problems = problems;
  }
}

/** A line for the log about settings that work but deserve a word. Never holds a value that could be a secret. */
export interface Notice {
  readonly level: 'info' | 'warn';
  readonly fields: Readonly<Record<string, string | readonly string[]>>;
  readonly message: string;
}

/** What reading the settings has found so far. */
export class Findings {
  readonly problems: string[] = [];
  readonly notices: Notice[] = [];

  /** Records a problem: what is wrong with the variable, and what to do. */
  problem(variable: Variable, what: string): void {
    this.problems.push(`${variable} ${what}`);
  }

  notice(level: Notice['level'], fields: Notice['fields'], message: string): void {
    this.notices.push({ level, fields, message });
  }
}
