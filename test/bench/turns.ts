import { compareRules, POPULATIONS, speakersOf } from '../conversation/support/turn-rules.ts';

/**
 * The end of a turn by a fixed silence and by the speaker's habits, on turns drawn from the known distribution of pauses.
 * Silence alone cannot know more than that distribution: what the rule gains, it gains from people being different.
 */
export async function benchTurns(): Promise<string[]> {
  const rows = Object.keys(POPULATIONS).map((name) => {
    if (!isPopulation(name)) throw new TypeError(`no population ${name}`);
    const { turns, pauses, cutOff, turnsCut, meanMs, medianMs, fixedMs, cutOffAtSecond } = compareRules(
      speakersOf(name),
    );
    const cells = [
      name,
      `${turns} / ${pauses}`,
      percent(cutOffAtSecond),
      percent(cutOff),
      percent(turnsCut),
      `${meanMs.toFixed(0)} / ${medianMs.toFixed(0)} ms`,
      `${fixedMs} ms`,
      `${(100 * (1 - meanMs / fixedMs)).toFixed(0)} %`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| assumed of people | turns / pauses | pauses cut by a fixed second | pauses cut | turns cut | delay, mean / median | a fixed silence that cuts as many | quicker by |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ];
}

function isPopulation(name: string): name is keyof typeof POPULATIONS {
  return name in POPULATIONS;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
