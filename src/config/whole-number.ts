import type { Env, Variable } from './env.ts';
import type { Findings } from './problems.ts';

/** A whole number within limits, or what it is when it is not set. */
export function wholeNumber(
  variable: Variable,
  { from, to, otherwise }: { from: number; to: number; otherwise: number },
  env: Env,
  findings: Findings,
): number {
  const value = env[variable];
  if (!value) return otherwise;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= from && number <= to) return number;
  findings.problem(variable, `is not a whole number from ${from} to ${to}`);
  return otherwise;
}
