import type { BenchOptions } from './part.ts';
import { machineNoise } from './voice/noise.ts';
import { Results, type Result } from './voice/result.ts';
import { scenarios, type Scenario } from './voice/scenarios.ts';
import { highlights, report } from './voice/tables.ts';

/** Latency, interruptions, evenness, processor time and memory of spoken conversations, beside two other bots. */
export async function benchVoice({ turns, channels, scenarios: wanted }: BenchOptions): Promise<readonly string[]> {
  const all = scenarios(channels, turns);
  const results = wanted.length > 0 ? await Results.load() : await Results.none();
  const chosen = wanted.length > 0 ? all.filter(({ name }) => wanted.some((part) => name.includes(part))) : all;
  if (chosen.length === 0)
    throw new RangeError(`no such scenario; there are ${all.map(({ name }) => name).join(', ')}`);
  await results.keep('noise', { series: { lateMs: await machineNoise() }, values: {} });
  for (const scenario of chosen) await results.keep(scenario.name, await attempt(scenario));
  return report(results, channels);
}

/** The main lines of what was measured last. */
export async function voiceHighlights(): Promise<readonly string[]> {
  return highlights(await Results.load());
}

/** What goes wrong in a scenario is told, and the others go on. */
async function attempt({ name, run }: Scenario): Promise<Result> {
  const fromMs = performance.now();
  try {
    const result = await run();
    tell(`${name}: ${Math.round((performance.now() - fromMs) / 1000)} s`);
    return result;
  } catch (error) {
    const failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    tell(`${name}: ${failure}`);
    return { series: {}, values: {}, failure };
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
