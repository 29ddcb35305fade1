import { CANDIDATES, type CandidateName } from './candidate.ts';
import { HANGOVER_MS } from './latency.ts';
import { percentile, type Result, type Results } from './result.ts';
import { nameOf, type Kind } from './scenarios.ts';
import { MODEL_MS } from './stage.ts';
import { TARGETS } from './targets.ts';

/** The section of the report, from whatever has been measured. */
export function report(results: Results, channels: readonly number[]): string[] {
  return [
    ...noise(results, channels),
    '### Targets',
    '',
    ...targets(results, channels),
    '',
    '### Defaults as shipped',
    '',
    `From the last voiced packet to the first audible packet of the reply. The model takes ${MODEL_MS} ms to its first sound, and the speaker's client sends on for ${HANGOVER_MS} ms after the voice. Each bot waits as long as it ships with.`,
    '',
    ...comparison(results, channels, { kind: 'shipped', series: 'waitMs', candidates: ['parley', 'stock', 'recipe'] }),
    '',
    '### Same silence and model delay',
    '',
    "The same, less the silence that each waits for on purpose and less the model's time: what the bot adds. The speech stops with its last packet.",
    '',
    ...comparison(results, channels, {
      kind: 'latency',
      series: 'addedMs',
      candidates: ['parley-waiting', 'stock-same', 'recipe-same'],
    }),
    '',
    '### With and without speculation',
    '',
    'From the last packet of speech to the first audible packet of the reply; of it the silence that the bot waited for (p50).',
    '',
    ...speculation(results, channels),
    '',
    '### Interruptions',
    '',
    ...interruptions(results, channels),
    '',
    '### Processor time and memory',
    '',
    ...load(results, channels),
    ...failures(results),
  ];
}

/** The main lines, of one channel and of the most that were measured. */
export function highlights(results: Results): string[] {
  const shipped = (candidate: CandidateName): number =>
    percentile(results.get(nameOf('shipped', candidate, 1))?.series['waitMs'], 50);
  const added = (candidate: CandidateName, percent: number): number =>
    percentile(results.get(nameOf('latency', candidate, 1))?.series['addedMs'], percent);
  const [ours, stock, recipe] = [shipped('parley'), shipped('stock'), shipped('recipe')];
  if ([ours, stock, recipe].some(Number.isNaN)) return [];
  const addedByOthers = (['stock-same', 'recipe-same'] as const).map((candidate) => `${ms(added(candidate, 50))} ms`);
  return [
    `From the end of speech to the reply, as shipped, with a model that takes ${MODEL_MS} ms (p50): Parley ${ms(ours)} ms, good practice on the stock library ${ms(stock)} ms, the usual recipe ${ms(recipe)} ms.`,
    `Of it, what the bot itself adds: ${ms(added('parley-waiting', 50))} ms (p99 ${ms(added('parley-waiting', 99))} ms), beside ${addedByOthers.join(' and ')}.`,
  ];
}

function noise(results: Results, channels: readonly number[]): string[] {
  const late = results.get('noise')?.series['lateMs'] ?? [];
  const names = channels.flatMap((count) => [
    nameOf('latency', 'parley-waiting', count),
    nameOf('load', 'parley', count),
  ]);
  const loops = names.flatMap((name) => results.get(name)?.values['worldLoopP99Ms'] ?? []);
  return [
    `Time stamps are taken in the sandbox's process. A timer of 20 ms on this machine, before anything else ran, fired ${three(late)} ms late (p50 / p95 / p99); the sandbox's own event loop was late by up to ${ms(Math.max(...loops))} ms (p99 of its worst scenario). No figure is finer than that.`,
    '',
  ];
}

function targets(results: Results, channels: readonly number[]): string[] {
  const head = ['', ...channels.map((count) => `${count} ${count === 1 ? 'channel' : 'channels'}`)];
  const rows = TARGETS.map(({ what, unit, limit, figure }) => {
    const cells = channels.map((count) => {
      const [most, found] = [limit(count), figure(results, count)];
      if (most === undefined) return '';
      if (found === undefined) return 'not measured';
      return `${found <= most ? 'reached' : '**missed**'}: ${ms(found)} (target ${most} ${unit})`;
    });
    return [what, ...cells];
  });
  const missed = TARGETS.filter(({ limit, figure }) =>
    channels.some((count) => (figure(results, count) ?? -Infinity) > (limit(count) ?? Infinity)),
  );
  const reasons = missed.map(({ what, heldBy }) => `- ${what}: ${heldBy}.`);
  return [...table(head, rows), '', 'What holds those that are missed:', '', ...reasons];
}

function comparison(
  results: Results,
  channels: readonly number[],
  {
    kind,
    series,
    candidates,
  }: { kind: Kind; series: string; candidates: readonly [CandidateName, ...CandidateName[]] },
): string[] {
  const rows = channels.flatMap((count) => {
    const ours = percentile(results.get(nameOf(kind, candidates[0], count))?.series[series], 50);
    return candidates.flatMap((candidate) => {
      const result = results.get(nameOf(kind, candidate, count));
      const values = result?.series[series];
      if (!result || !values) return [];
      const times = candidate === candidates[0] ? '' : `${(percentile(values, 50) / ours).toFixed(1)} times`;
      const unanswered = result.values['unanswered'] ?? 0;
      return [[CANDIDATES[candidate].name, count, values.length, ...each(values), times, unanswered]];
    });
  });
  return table(['', 'channels', 'turns', 'p50', 'p95', 'p99', 'against Parley, p50', 'not answered'], rows);
}

function speculation(results: Results, channels: readonly number[]): string[] {
  const rows = channels.flatMap((count) =>
    (['parley', 'parley-waiting'] as const).flatMap((candidate) => {
      const series = results.get(nameOf('latency', candidate, count))?.series;
      const waits = series?.['waitMs'];
      if (!waits) return [];
      const added = each(series?.['addedMs'] ?? []);
      return [
        [
          CANDIDATES[candidate].name,
          count,
          waits.length,
          ...each(waits),
          ms(percentile(series?.['holdMs'], 50)),
          added.join(' / '),
        ],
      ];
    }),
  );
  return table(['', 'channels', 'turns', 'p50', 'p95', 'p99', 'silence', 'added p50 / p95 / p99'], rows);
}

function interruptions(results: Results, channels: readonly number[]): string[] {
  const rows = channels.flatMap((count) => {
    const result = results.get(nameOf('barge-in', 'parley', count));
    const stops = result?.series['stopMs'];
    if (!result || !stops) return [];
    const { truncationMs, closeMs } = result.series;
    return [[count, stops.length, ...each(stops), three(truncationMs), three(closeMs), result.values['failed'] ?? 0]];
  });
  const head = [
    'channels',
    'interruptions',
    'stopped after, p50',
    'p95',
    'p99',
    'heard, in error by',
    'model let go after',
    'not stopped',
  ];
  return table(head, rows);
}

function load(results: Results, channels: readonly number[]): string[] {
  const rows = channels.flatMap((count) => {
    const result: Result | undefined = results.get(nameOf('load', 'parley', count));
    if (!result?.values['aloneMb']) return [];
    const { values, series } = result;
    const cells = ['idleMs', 'listeningMs', 'speakingMs', 'duplexMs', 'aloneMb', 'idleMb', 'activeMb', 'botLoopP99Ms'];
    return [[count, ...cells.map((cell) => ms(values[cell] ?? Number.NaN)), three(series['deviationMs'])]];
  });
  const head = [
    'channels',
    'CPU idle, ms/s each',
    'listening',
    'speaking',
    'duplex',
    'memory alone, MB',
    'idle',
    'duplex',
    'event loop late, p99',
    'packets off 20 ms by',
  ];
  return table(head, rows);
}

function failures(results: Results): string[] {
  return results.failures.map(({ name, failure }) => `\nNot measured: ${name}: ${failure}`);
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  if (rows.length === 0) return ['Not measured.'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function each(values: readonly number[]): string[] {
  return [50, 95, 99].map((percent) => ms(percentile(values, percent)));
}

function three(values: readonly number[] = []): string {
  return each(values).join(' / ');
}

function ms(value: number): string {
  return value.toFixed(1);
}
