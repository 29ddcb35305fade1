import type { Findings } from './problems.ts';
import { Secret } from './secret.ts';

/** Where conversations are kept. */
export type DatabaseConfig =
  /** A file's path, relative to the working directory, or `:memory:`. */
  | { readonly kind: 'sqlite'; readonly file: string }
  /** A connection string, secret because it holds the password. */
  | { readonly kind: 'postgres'; readonly url: Secret };

const DEFAULT_FILE = 'data/parley.db';

const ADVICE = `write sqlite:${DEFAULT_FILE}, a file's path alone, or postgres://USER:PASSWORD@HOST/DATABASE`;

/** Reads `DATABASE_URL`: `sqlite:FILE`, a bare path, or `postgres://…`. */
export function readDatabase(value: string | undefined, findings: Findings): DatabaseConfig {
  const fallback: DatabaseConfig = { kind: 'sqlite', file: DEFAULT_FILE };
  if (!value) return fallback;
  // One letter before a colon is a Windows drive.
  const scheme = /^([a-z][a-z\d+.-]+):/i.exec(value)?.[1]?.toLowerCase();
  if (scheme === 'postgres' || scheme === 'postgresql') {
    const url = URL.parse(value);
    // Without a host it is a socket folder, as in postgres:///parley?host=/run/postgresql.
    const hasHost = url && (url.hostname !== '' || url.searchParams.has('host'));
    // A second @ means that a password holds a sign which the address takes for its own.
    if (hasHost && !url.pathname.includes('@') && isDecodable(url.password)) {
      return { kind: 'postgres', url: new Secret(value) };
    }
    findings.problem(
      'DATABASE_URL',
      'is not a PostgreSQL address: write postgres://USER:PASSWORD@HOST/DATABASE, with signs such as @ or / in the password as %40 or %2F',
    );
    return fallback;
  }
  if (scheme !== undefined && scheme !== 'sqlite') {
    findings.problem('DATABASE_URL', `names a database that Parley does not know: ${ADVICE}`);
    return fallback;
  }
  const file = scheme ? value.slice('sqlite:'.length) : value;
  if (file === '' || file.startsWith('//') || /[/\\]$/.test(file)) {
    findings.problem('DATABASE_URL', `names no file: ${ADVICE}`);
    return fallback;
  }
  return { kind: 'sqlite', file };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
