import { benchLatency } from './latency.ts';
import type { BenchPart } from './part.ts';
import { benchTurns } from './turns.ts';

/** What `npm run bench -- NAME` can measure, in the order of the report. */
export const PARTS: Readonly<Record<string, BenchPart>> = {
  voice: { title: 'Voice', run: benchLatency },
  turns: { title: 'End of turn', run: benchTurns },
};
