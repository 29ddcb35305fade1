import { PAUSE_MS as GUARD_MS } from '../../../src/conversation/barge-in.ts';
import { percentile, type Results } from './result.ts';
import { nameOf } from './scenarios.ts';

/** A figure that is to be reached in so many channels. `limit`: the target; `undefined`: there is none for so many. */
interface Target {
  readonly what: string;
  readonly unit: string;
  readonly limit: (channels: number) => number | undefined;
  readonly figure: (results: Results, channels: number) => number | undefined;
}

type Source = (
  results: Results,
  channels: number,
) => { series: Record<string, number[]>; values: Record<string, number> } | undefined;

const waiting: Source = (results, channels) => results.get(nameOf('latency', 'parley-waiting', channels));
const speculating: Source = (results, channels) => results.get(nameOf('latency', 'parley', channels));
const interrupting: Source = (results, channels) => results.get(nameOf('barge-in', 'parley', channels));
const loading: Source = (results, channels) => results.get(nameOf('load', 'parley', channels));

function series(source: Source, name: string, percent: number, offset = 0): Target['figure'] {
  return (results, channels) => {
    const values = source(results, channels)?.series[name];
    return values && values.length > 0 ? percentile(values, percent) + offset : undefined;
  };
}

function value(source: Source, name: string): Target['figure'] {
  return (results, channels) => source(results, channels)?.values[name];
}

/** Beside the same with one channel: what the first one makes grow serves all of them. */
function memoryOfChannel(name: 'idleMb' | 'activeMb'): Target['figure'] {
  return (results, channels) => {
    const [all, one] = [channels, 1].map((count) => loading(results, count)?.values[name]);
    return all === undefined || one === undefined || channels === 1 ? undefined : (all - one) / (channels - 1);
  };
}

/** What was set out to be reached before it was built. */
export const TARGETS: readonly Target[] = [
  {
    what: 'added latency, p50',
    unit: 'ms',
    limit: (channels) => (channels === 1 ? 10 : undefined),
    figure: series(waiting, 'addedMs', 50),
  },
  {
    what: 'added latency, p95',
    unit: 'ms',
    limit: (channels) => (channels === 1 ? 25 : undefined),
    figure: series(waiting, 'addedMs', 95),
  },
  { what: 'added latency, p99', unit: 'ms', limit: () => 40, figure: series(waiting, 'addedMs', 99) },
  {
    what: 'end of speech to the reply, with speculation, p95',
    unit: 'ms',
    limit: () => 425,
    figure: series(speculating, 'waitMs', 95),
  },
  {
    what: `interruption: first packet over the reply to its last packet, beyond the guard of ${GUARD_MS} ms, p99`,
    unit: 'ms',
    limit: () => 25,
    figure: series(interrupting, 'stopMs', 99, -GUARD_MS),
  },
  {
    what: 'what the bot says was heard, against the wire, p99',
    unit: 'ms',
    limit: () => 20,
    figure: series(interrupting, 'truncationMs', 99),
  },
  {
    what: "reply called off to the model's socket closed, p99",
    unit: 'ms',
    limit: () => 20,
    figure: series(interrupting, 'closeMs', 99),
  },
  {
    what: 'playout: distance of two packets from 20 ms, duplex, p99',
    unit: 'ms',
    limit: (channels) => (channels <= 10 ? 2 : 5),
    figure: series(loading, 'deviationMs', 99),
  },
  { what: 'CPU of a duplex channel', unit: 'ms/s', limit: () => 15, figure: value(loading, 'duplexMs') },
  { what: 'CPU of a channel with one speaker', unit: 'ms/s', limit: () => 3, figure: value(loading, 'listeningMs') },
  { what: 'CPU of an idle channel', unit: 'ms/s', limit: () => 0.3, figure: value(loading, 'idleMs') },
  { what: 'memory without a call', unit: 'MB', limit: () => 100, figure: value(loading, 'aloneMb') },
  {
    what: 'memory of an idle channel',
    unit: 'MB',
    limit: (channels) => (channels > 1 ? 1 : undefined),
    figure: memoryOfChannel('idleMb'),
  },
  {
    what: 'memory of an active channel',
    unit: 'MB',
    limit: (channels) => (channels > 1 ? 4 : undefined),
    figure: memoryOfChannel('activeMb'),
  },
  { what: 'event loop late, duplex, p99', unit: 'ms', limit: () => 20, figure: value(loading, 'botLoopP99Ms') },
];
