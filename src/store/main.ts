import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

import { readDatabase } from '../config/database-config.ts';
import { readEnv } from '../config/env.ts';
import { ConfigError, EXIT_CONFIG, Findings } from '../config/problems.ts';
import { monotonicClock } from '../time/clock.ts';
import { FIRST_LINE, fromLine, linesOf, toLine } from './export-format.ts';
import { countLeftOut, countTurns, exportStore } from './export-store.ts';
import { importRecords, type Imported } from './import-store.ts';
import { addKey } from './key-source.ts';
import { keyFileOf, openStore, type StoreLocation } from './open-store.ts';
import { rotateKeys } from './rotate.ts';
import type { SqlStore } from './sql-store.ts';
import { StoreError } from './store-error.ts';
import type { ExportRecord } from './turn-store.ts';

const USAGE = `What Parley keeps, taken away or moved. A database is sqlite:FILE, a file's path, or postgres://…; where none is
named it is DATABASE_URL. An export is JSON lines, and readable: keep it as safe as what was said.

Export and migrate take what has ended. Turns, transcriptions and readings that are under way, and notices of answers that a
crash cut off, stay where they are, for Parley to finish; both say how many there were.

  npm run store -- export [--from DATABASE] [FILE]      to FILE, which must be new, or to the terminal
  npm run store -- import [--to DATABASE] FILE          can be run again when it was cut
  npm run store -- migrate --from DATABASE --to DATABASE
                                                        can be run again, too: it brings what has ended since
  npm run store -- rotate [--to DATABASE]               wraps everything with the newest key: the first of STORE_KEYS, or
                                                        a new one in the key file

  --from-key-file FILE, --to-key-file FILE              where it is not beside the database
`;

/** Progress is written no more often than this. */
const PROGRESS_MS = 1000;

class UsageError extends Error {
  override readonly name = 'UsageError';
}

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  try {
    await run(args);
  } catch (error) {
    // A file that is there already, or is not there.
    const isFile = error instanceof Error && 'syscall' in error;
    const isWork = isFile || (error instanceof StoreError && error.kind !== 'wrong-key');
    process.exitCode = isWork ? 1 : EXIT_CONFIG;
    if (error instanceof UsageError) return tell(`${error.message}\n\n${USAGE}`);
    if (isFile || error instanceof StoreError || error instanceof ConfigError) return tell(error.message);
    throw error;
  }
}

async function run(args: readonly string[]): Promise<void> {
  const { verb, file, options } = parse(args);
  switch (verb) {
    case 'export': {
      await using source = await openSource(options.from, options['from-key-file']);
      await exportTo(source, file);
      break;
    }
    case 'import': {
      if (file === undefined) throw new UsageError('import needs the file of an export');
      await using target = await open(options.to, options['to-key-file']);
      done(await importRecords(target, recordsOf(file), progress('turns imported', undefined)));
      break;
    }
    case 'migrate': {
      if (options.from === undefined || options.to === undefined) throw new UsageError('migrate needs --from and --to');
      await using source = await openSource(options.from, options['from-key-file']);
      await using target = await open(options.to, options['to-key-file']);
      done(await importRecords(target, exportStore(source), progress('turns moved', await countTurns(source))));
      await tellLeftOut(source);
      break;
    }
    case 'rotate': {
      const isGiven = readEnv().STORE_KEYS !== undefined;
      const keyFile = options['to-key-file'] ?? keyFileOf(locate(options.to));
      mustBeThere(options.to);
      if (!isGiven) await addKey(keyFile);
      await using target = await open(options.to, keyFile);
      const report = everySecond((rewrapped: number) => tell(`${rewrapped} conversations`));
      const rewrapped = await rotateKeys(target, report);
      const where = isGiven ? 'STORE_KEYS' : keyFile;
      tell(
        `Done: the keys of ${rewrapped} conversations are wrapped with the newest key. Older keys in ${where} are needed`,
      );
      tell('only for backups made before, and by processes that have not been started since.');
      break;
    }
    case undefined:
      throw new UsageError('Say what to do.');
    default:
      throw new UsageError(`There is no ${verb}.`);
  }
}

function parse(args: readonly string[]) {
  const name = { type: 'string' } as const;
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { from: name, to: name, 'from-key-file': name, 'to-key-file': name },
    });
    const [verb, file] = positionals;
    return { verb, file, options: values };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'The options cannot be read.', { cause: error });
  }
}

/** @throws {ConfigError} when the address is none. */
function locate(address: string | undefined): StoreLocation {
  const findings = new Findings();
  const config = readDatabase(address ?? readEnv().DATABASE_URL, findings);
  if (findings.problems.length > 0) throw new ConfigError(findings.problems);
  return config.kind === 'postgres' ? { kind: 'postgres', url: config.url.reveal() } : config;
}

/** Opens a database from which something is taken. @throws {StoreError} when there is none: opening would make it. */
function openSource(address: string | undefined, keyFile: string | undefined): Promise<SqlStore> {
  mustBeThere(address);
  return open(address, keyFile);
}

function mustBeThere(address: string | undefined): void {
  const location = locate(address);
  if (location.kind === 'postgres' || existsSync(location.file)) return;
  throw new StoreError(
    'unavailable',
    `there is no database ${resolve(location.file)}: look at its name, and at the folder in which you are`,
  );
}

async function open(address: string | undefined, keyFile: string | undefined): Promise<SqlStore> {
  const keys = readEnv().STORE_KEYS;
  const store = openStore({ location: locate(address), keys, keyFile, clock: monotonicClock });
  try {
    await store.ready();
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
  return store;
}

async function exportTo(source: SqlStore, file: string | undefined): Promise<void> {
  const report = progress('turns exported', await countTurns(source));
  let turns = 0;
  async function* lines(): AsyncGenerator<string, void, undefined> {
    yield toLine(FIRST_LINE);
    let records = 0;
    for await (const record of exportStore(source)) {
      yield toLine(record);
      records++;
      if (record.type === 'turn') report({ turns: ++turns });
    }
    yield toLine({ type: 'end', records });
  }
  // A file that is there is somebody's backup; and what is written is for its owner alone.
  const target =
    file === undefined ? process.stdout : createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true });
  await pipeline(Readable.from(lines()), target, { end: file !== undefined });
  tell(`Done: ${turns} turns.`);
  await tellLeftOut(source);
}

async function tellLeftOut(source: SqlStore): Promise<void> {
  const { openTurns, jobs, notices } = await countLeftOut(source);
  if (openTurns + jobs + notices === 0) return;
  tell(
    `Left out: ${openTurns} turns that have not ended, ${jobs} transcriptions and readings under way, ${notices} notices of answers that a crash cut off.`,
  );
  tell(
    'Parley finishes them when it runs with the database they are in. Run this again to bring turns that have ended then.',
  );
}

async function* recordsOf(file: string): AsyncGenerator<ExportRecord, void, undefined> {
  let number = 0;
  let records = 0;
  let isWhole = false;
  for await (const text of linesOf(createReadStream(file, 'utf8'))) {
    if (text.trim() === '') continue;
    const record = fromLine(text, ++number);
    if ((record.type === 'parley-export') !== (number === 1))
      throw new StoreError('invalid', `${file} is not one export`);
    if (record.type === 'parley-export') continue;
    if (record.type === 'end') {
      isWhole = record.records === records;
      break;
    }
    records++;
    yield record;
  }
  if (!isWhole)
    throw new StoreError('invalid', `${file} was cut: what it holds has been imported, the rest is missing`);
}

function progress(what: string, total: number | undefined): (counts: Pick<Imported, 'turns'>) => void {
  return everySecond(({ turns }) => tell(total === undefined ? `${turns} ${what}` : `${turns} of ${total} ${what}`));
}

function done({ turns, conversations, skipped }: Imported): void {
  const again = skipped > 0 ? `, ${skipped} were there already` : '';
  tell(`Done: ${turns} turns of ${conversations} conversations${again}.`);
}

function everySecond<T>(report: (value: T) => void): (value: T) => void {
  let reportedAtMs = monotonicClock.nowMs();
  return (value) => {
    if (monotonicClock.nowMs() - reportedAtMs < PROGRESS_MS) return;
    reportedAtMs = monotonicClock.nowMs();
    report(value);
  };
}

/** For the person at the terminal; an export may go to standard output. */
function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
