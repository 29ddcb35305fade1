import { killBots } from '../memory/support/bot-kills.ts';
import { DIALECTS, startDatabases } from '../store/support/stores.ts';
import type { BenchOptions } from './part.ts';

/** A bot takes seconds to start, so these are few; `--turns 200` kills each as often as `kills` does. */
const KILLS = 25;

/** What becomes of people's turns, in writing and by voice, when a whole bot is killed at random points, over and over. */
export async function benchBotKills({ turns: kills = KILLS }: BenchOptions): Promise<string[]> {
  await using databases = await startDatabases();
  // Each in a world of its own, side by side: a run of one is half an hour of waiting.
  const rows = await Promise.all(
    DIALECTS.map(async (dialect) => {
      const counts = await killBots(await databases.fresh(dialect), kills);
      const { written, answered, spoken, heard, lost, keptTwice, askedTwice, leftOpen, interrupted } = counts;
      const told = `${counts.crashes} / ${counts.told} / ${counts.untold}`;
      const cells = [dialect, counts.kills, written, answered, spoken, heard, lost, keptTwice, askedTwice, leftOpen];
      return `| ${[...cells, interrupted, told].join(' | ')} |`;
    }),
  );
  return [
    '| bot killed on | kills | asked in writing | answered | sent to the model by voice | heard answered | lost | kept twice | asked of the model twice | left open | closed as interrupted | crashes that cut turns off / times told / still untold |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ];
}
