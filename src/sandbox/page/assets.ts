import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const CLIENT_FOLDER = fileURLToPath(new URL('client/', import.meta.url));

/** Library modules by the name they are imported with. */
const LIBRARIES = { preact: 'preact.js', 'preact/hooks': 'preact-hooks.js' } as const;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ts: 'text/javascript; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** A file of the page, ready to be sent. */
export interface Asset {
  readonly contentType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly compressed: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** What tells the browser where the libraries are. Stands in the page, so its hash stands in the page's policy. */
export const IMPORT_MAP = JSON.stringify({
  imports: Object.fromEntries(Object.entries(LIBRARIES).map(([name, file]) => [name, `/page/lib/${file}`])),
});

/**
 * Reads the page's files once. TypeScript is sent as it is, its types blanked out: there is no build, and line numbers in
 * the browser are those of the source.
 */
export async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  const files = globSync('**/*.{ts,css,svg}', { cwd: CLIENT_FOLDER }).filter((name) => !name.endsWith('.d.ts'));
  const own = files.map(async (name): Promise<[string, Asset]> => {
    const source = await readFile(`${CLIENT_FOLDER}${name}`, 'utf8');
    return [`/page/${name}`, asset(name, name.endsWith('.ts') ? javaScriptOf(source) : source)];
  });
  const libraries = Object.entries(LIBRARIES).map(async ([name, file]): Promise<[string, Asset]> => {
    const source = await readFile(fileURLToPath(import.meta.resolve(name)), 'utf8');
    return [`/page/lib/${file}`, asset(file, source.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n'))];
  });
  return new Map(await Promise.all([...own, ...libraries]));
}

/** The page's frame. Everything else in it is put there by its scripts. */
export async function loadFrame(): Promise<Asset> {
  const source = await readFile(`${CLIENT_FOLDER}index.html`, 'utf8');
  return {
    ...asset('index.html', source.replace(/\s*IMPORT_MAP\s*/, IMPORT_MAP)),
    contentType: 'text/html; charset=utf-8',
  };
}

function asset(name: string, text: string): Asset {
  const bytes = new TextEncoder().encode(text);
  const extension = /[^.]+$/.exec(name)?.[0] ?? '';
  return {
    contentType: CONTENT_TYPES[extension] ?? 'application/octet-stream',
    bytes,
    compressed: Uint8Array.from(gzipSync(bytes, { level: 9 })),
    etag: `"${createHash('sha256').update(bytes).digest('base64url')}"`,
  };
}

/** Node strips the types of this very program all the time; it warns only about the function by that name. */
function javaScriptOf(typeScript: string): string {
  const warn = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  Object.defineProperty(process, 'emitWarning', { value: () => {}, configurable: true });
  try {
    return withoutDocumentation(stripTypeScriptTypes(typeScript));
  } finally {
    if (warn) Object.defineProperty(process, 'emitWarning', warn);
  }
}

/** Blanked types and whole lines of documentation are white space that nobody has to wait for; lines stay where they are. */
function withoutDocumentation(source: string): string {
  return source
    .replaceAll(/^[ \t]*\/\*\*[\s\S]*?\*\/[ \t]*$/gm, (comment) => comment.replaceAll(/[^\n]+/g, ''))
    .replaceAll(/[ \t]+$/gm, '');
}
