import { parseArgs } from 'node:util';

import { PARTS } from './parts.ts';
import type { BenchOptions, BenchPart } from './part.ts';
import { keepHighlights, keepSection } from './report.ts';

const USAGE = `npm run bench -- [${Object.keys(PARTS).join('|')} …] [--turns N] [--channels 1,10,50] [--scenario NAME …]`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    turns: { type: 'string' },
    channels: { type: 'string', default: '1,10,50' },
    scenario: { type: 'string', multiple: true, default: [] },
  },
});
const options: BenchOptions = {
  turns: values.turns === undefined ? undefined : Number(values.turns),
  channels: values.channels.split(',').map(Number),
  scenarios: values.scenario,
};
const names = positionals.length > 0 ? positionals : Object.keys(PARTS);
const unknown = names.filter((name) => !(name in PARTS));
if (unknown.length > 0 || [options.turns ?? 1, ...options.channels].some((count) => !(count >= 1))) {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 1;
} else {
  for (const name of names) {
    const part = PARTS[name];
    if (part) await measure(part);
  }
}

/** A part that fails says why in its section, and the others go on. */
async function measure(part: BenchPart): Promise<void> {
  let lines: readonly string[];
  try {
    lines = await part.run(options);
  } catch (error) {
    process.exitCode = 1;
    lines = [`Not measured: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`];
  }
  process.stdout.write(`\n## ${part.title}\n\n${lines.join('\n')}\n`);
  await keepSection(part.title, lines);
  await keepHighlights((await part.highlights?.()) ?? []);
}
