import { measureBargeIn } from './barge-in.ts';
import { CANDIDATES, type CandidateName } from './candidate.ts';
import { HANGOVER_MS, measureLatency } from './latency.ts';
import { measureLoad } from './load.ts';
import type { Result } from './result.ts';

/**
 * `latency`: at the same silence and model delay. `shipped`: with the silence each ships with, and people whose client
 * sends on for a while after their voice. `load`: processor time and memory.
 */
export type Kind = 'latency' | 'shipped' | 'barge-in' | 'load';

/** One thing that is measured, of one bot in so many channels at a time. */
export interface Scenario {
  readonly name: string;
  readonly run: () => Promise<Result>;
}

/** Turns in all channels together, when nobody says how many. One of a single channel takes two seconds, whatever it costs. */
const PARLEY_TURNS = (channels: number): number => (channels === 1 ? 200 : Math.max(300, channels * 10));
const SHIPPED_TURNS = 100;
const INTERRUPTIONS = (channels: number): number => (channels === 1 ? 150 : Math.max(200, channels * 6));
/** Of those that are only compared with; the recipe takes seconds for each turn, and more where channels share it. */
const STOCK_TURNS = (channels: number): number => Math.max(60, channels * 4);
const RECIPE_TURNS = (channels: number): number => Math.max(20, channels * 2);

export function nameOf(kind: Kind, candidate: CandidateName, channels: number): string {
  return `${kind}-${candidate}-${channels}`;
}

/** Everything that is measured for these numbers of channels, in the order in which it runs. */
export function scenarios(channels: readonly number[], turns: number | undefined): Scenario[] {
  const latency = (candidate: CandidateName, count: number, usual: number): Scenario => ({
    name: nameOf('latency', candidate, count),
    run: () =>
      measureLatency(CANDIDATES[candidate], {
        channels: count,
        turns: Math.min(turns ?? usual, usual),
        hangoverMs: 0,
      }),
  });
  const shipped = (candidate: CandidateName, count: number, usual: number): Scenario => ({
    name: nameOf('shipped', candidate, count),
    run: () =>
      measureLatency(CANDIDATES[candidate], {
        channels: count,
        turns: Math.min(turns ?? usual, usual),
        hangoverMs: HANGOVER_MS,
      }),
  });
  return channels.flatMap((count) => [
    latency('parley', count, PARLEY_TURNS(count)),
    latency('parley-waiting', count, PARLEY_TURNS(count)),
    shipped('parley', count, count === 1 ? SHIPPED_TURNS : PARLEY_TURNS(count)),
    {
      name: nameOf('barge-in', 'parley', count),
      run: () =>
        measureBargeIn(CANDIDATES.parley, {
          channels: count,
          turns: Math.min(turns ?? Infinity, INTERRUPTIONS(count)),
        }),
    },
    { name: nameOf('load', 'parley', count), run: () => measureLoad(CANDIDATES.parley, count) },
    latency('stock-same', count, STOCK_TURNS(count)),
    shipped('stock', count, STOCK_TURNS(count)),
    latency('recipe-same', count, RECIPE_TURNS(count)),
    shipped('recipe', count, RECIPE_TURNS(count)),
  ]);
}
