import type { Env } from './env.ts';
import type { Findings } from './problems.ts';
import { Secret } from './secret.ts';
import { wholeNumber } from './whole-number.ts';

/** How much is remembered, and for how long. */
export interface MemoryConfig {
  /** Keys that encrypt what is kept, newest first, separated by commas. `undefined`: a key file beside the database. */
  readonly keys: Secret | undefined;
  /** Tokens of a request from which on the oldest part of its conversation is summed up. */
  readonly tokenBudget: number;
  /** How long what was said is kept. */
  readonly retentionDays: number;
  /** How long a server's data is kept after Parley has left it. */
  readonly deletionGraceDays: number;
}

/** A quarter of an hour of talk; far below what the models take, since every token of it is paid for with every turn. */
const DEFAULT_TOKEN_BUDGET = 16_000;
const DEFAULT_RETENTION_DAYS = 30;
const DEFAULT_GRACE_DAYS = 7;

/** Reads `STORE_KEYS`, `HISTORY_TOKENS`, `RETENTION_DAYS` and `DELETION_GRACE_DAYS`. */
export function readMemory(env: Env, findings: Findings): MemoryConfig {
  return {
    keys: env.STORE_KEYS ? new Secret(env.STORE_KEYS) : undefined,
    tokenBudget: wholeNumber(
      'HISTORY_TOKENS',
      { from: 1000, to: 100_000, otherwise: DEFAULT_TOKEN_BUDGET },
      env,
      findings,
    ),
    retentionDays: wholeNumber(
      'RETENTION_DAYS',
      { from: 1, to: 3650, otherwise: DEFAULT_RETENTION_DAYS },
      env,
      findings,
    ),
    deletionGraceDays: wholeNumber(
      'DELETION_GRACE_DAYS',
      { from: 0, to: 365, otherwise: DEFAULT_GRACE_DAYS },
      env,
      findings,
    ),
  };
}
