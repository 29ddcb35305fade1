import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';

const REPORT_FILE = new URL('../../docs/bench.md', import.meta.url);

const README_FILE = new URL('../../README.md', import.meta.url);
const [LIST_BEGINS, LIST_ENDS] = ['<!-- what the bench found -->', '<!-- end of what the bench found -->'];

const HEAD = '# What the bench measured\n\nWritten by `npm run bench`, section by section: do not edit.\n';

/** Puts a section into the report, in place of the one with its title. */
export async function keepSection(title: string, lines: readonly string[]): Promise<void> {
  const kept = await readFile(REPORT_FILE, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return HEAD;
    throw error;
  });
  const [head = HEAD, ...sections] = `${kept.trimEnd()}\n\n`.split(/^(?=## )/m);
  const section = `## ${title}\n\n${[whereAndWhen(), '', ...lines].join('\n').trimEnd()}\n\n`;
  const index = sections.findIndex((other) => other.startsWith(`## ${title}\n`));
  if (index === -1) sections.push(section);
  else sections[index] = section;
  await writeFile(REPORT_FILE, `${[`${head.trimEnd()}\n\n`, ...sections].join('').trimEnd()}\n`);
}

/** Puts the main lines into the README, in place of those of the last run. */
export async function keepHighlights(lines: readonly string[]): Promise<void> {
  const readme = await readFile(README_FILE, 'utf8');
  const [begin, end] = [readme.indexOf(LIST_BEGINS), readme.indexOf(LIST_ENDS)];
  if (begin === -1 || end < begin || lines.length === 0) return;
  const list = `${LIST_BEGINS}\n\n${lines.map((line) => `- ${line}`).join('\n')}\n\n`;
  await writeFile(README_FILE, readme.slice(0, begin) + list + readme.slice(end));
}

function whereAndWhen(): string {
  const cores = cpus();
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, Node ${process.version}, ${cores.length} cores (${cores[0]?.model.trim() ?? 'unknown'}).`;
}
