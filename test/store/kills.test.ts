import { afterAll, beforeAll, expect, test } from 'vitest';

import { killTurnMakers } from './support/kills.ts';
import { DIALECTS, startDatabases, type TestDatabases } from './support/stores.ts';

/** `npm run bench` does 200 of each. */
const KILLS = 40;
/** How many processes hold turns at a time: one has the file for itself, as a rule; a server has many clients. */
const LANES = { sqlite: 1, postgres: 2 } as const;

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

test.each(DIALECTS)(
  'processes killed at random points on %s: nothing acknowledged is lost or doubled, nothing stays open',
  { timeout: 240_000 },
  async (dialect) => {
    const counts = await killTurnMakers(await databases.fresh(dialect), KILLS, LANES[dialect]);
    expect(counts).toMatchObject({ kills: KILLS, lost: 0, misplaced: 0, open: 0, toldTwice: 0 });
    // Without these the kills would have hit nothing.
    expect(counts.ended).toBeGreaterThan(KILLS);
    expect(counts.closed).toBeGreaterThan(0);
  },
);
