import { benchLatency } from './latency.ts';
import type { BenchPart } from './part.ts';

/** What `npm run bench -- NAME` can measure, in the order of the report. */
export const PARTS: Readonly<Record<string, BenchPart>> = {
  voice: { title: 'Voice', run: benchLatency },
};
