import { askBothBots } from '../memory/support/two-bots.ts';
import { startDatabases } from '../store/support/stores.ts';
import type { BenchOptions } from './part.ts';

const EVENTS = 1000;

/** What becomes of questions that two bots are told of at the same time; `--turns` says of how many. */
export async function benchTwoProcesses({ turns: events = EVENTS }: BenchOptions): Promise<string[]> {
  await using databases = await startDatabases();
  const location = await databases.fresh('postgres');
  if (location.kind !== 'postgres') throw new TypeError('not a server');
  const { answers, calls, kept } = await askBothBots(location, events);
  const outcome = [answers.length, calls, kept].every((count) => count === events) ? 'reached' : 'MISSED ';
  return [
    `${outcome}  the same ${events} events delivered to two bots on one PostgreSQL: target ${events} of each, figures ${answers.length} replies, ${calls} calls of the model, ${kept} turns kept`,
  ];
}
