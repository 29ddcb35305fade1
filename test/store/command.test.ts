import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { exportStore } from '../../src/store/export-store.ts';
import { fromLine, toLine } from '../../src/store/export-format.ts';
import { importRecords } from '../../src/store/import-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { DIALECTS, open, startDatabases, type TestDatabases } from './support/stores.ts';
import { ending, hold, incoming, SPEECH, T0, utterance } from './support/turns.ts';

const MAIN = fileURLToPath(new URL('../../src/store/main.ts', import.meta.url));

/** Has what is no text, and what is a line break to some. */
const TEXT = 'lone \ud800 and \u0000, \u2028 and \u2029, \u0085, \r\n and \n';

let databases: TestDatabases;
let dir: string;
beforeAll(async () => {
  databases = await startDatabases();
  dir = await mkdtemp(join(tmpdir(), 'parley-command-'));
});
afterAll(async () => {
  await databases[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

/** Runs `npm run store -- ARGS` as a person would. */
async function run(...args: string[]): Promise<{ code: number | null; out: string; said: string }> {
  const env = { PATH: process.env['PATH'], DATABASE_URL: join(dir, 'default', 'parley.db') };
  const child = spawn(process.execPath, [MAIN, ...args], { env, cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, out, said };
}

/** What was said ends with this line; before it a slow machine may have heard how far it is. */
function lastly(line: string): unknown {
  return expect.stringMatching(new RegExp(`(^|\\n)${RegExp.escape(line)}\\n$`));
}

test(
  'a store is exported, moved to PostgreSQL, exported again and imported, and is the same',
  { timeout: 180_000 },
  async () => {
    const file = join(dir, 'default', 'parley.db');
    const store = openStore({ location: { kind: 'sqlite', file }, keys: undefined, clock: monotonicClock });
    await hold(store, incoming('a', { utterances: [utterance({ speech: SPEECH, text: TEXT })] }));
    const many = Array.from({ length: 130 }, (_, index) => incoming(`b${index}`));
    await Promise.all(many.map((turn) => store.turns.record(turn, ending())));
    await store.turns.record(
      incoming('failed'),
      ending({ state: 'failed', reply: undefined, usage: undefined, failure: 'busy' }),
    );
    await hold(store, incoming('c', { conversationId: 'channel-2', guildId: '@me' }));
    const { revision } = await store.conversations.load('channel-1', 1);
    await store.conversations.putSummary('channel-1', { text: 'x', throughPosition: 3, madeAtMs: T0 }, revision);
    await store.privacy.setOptedOut('bo', true, T0);
    await store.privacy.scheduleGuildDeletion('guild-9', T0);
    await store[Symbol.asyncDispose]();

    const first = join(dir, 'first.jsonl');
    expect(await run('export', first)).toMatchObject({ code: 0, said: lastly('Done: 133 turns.') });
    expect((await stat(first)).mode & 0o777).toBe(0o600);
    const exported = await readFile(first, 'utf8');
    expect(exported).not.toMatch(/[\u2028\u2029]/);
    expect(await run('export', first)).toMatchObject({ code: 1, said: expect.stringContaining('EEXIST') });

    const postgres = await databases.fresh('postgres');
    const url = postgres.kind === 'postgres' ? postgres.url : '';
    const key = ['--to-key-file', join(dir, 'postgres.key')];
    const moved = await run('migrate', '--from', file, '--to', url, ...key);
    expect(moved).toMatchObject({ code: 0, said: lastly('Done: 133 turns of 2 conversations.') });
    const again = await run('migrate', '--from', file, '--to', url, ...key);
    expect(again).toMatchObject({ code: 0, said: lastly('Done: 0 turns of 2 conversations, 133 were there already.') });
    expect(await run('export', '--from', url, '--from-key-file', join(dir, 'postgres.key'))).toMatchObject({
      code: 0,
      out: exported,
    });

    const back = join(dir, 'back', 'parley.db');
    expect(await run('import', '--to', `sqlite:${back}`, first)).toMatchObject({ code: 0 });
    expect(await run('rotate', '--to', back)).toMatchObject({
      code: 0,
      said: expect.stringContaining('2 conversations'),
    });
    expect(await run('export', '--from', back)).toMatchObject({ code: 0, out: exported });
  },
);

test('what cannot be done is said in words, with a code, and without a stack', { timeout: 180_000 }, async () => {
  const cut = join(dir, 'cut.jsonl');
  await writeFile(
    cut,
    `${toLine({ type: 'parley-export', format: 1 })}${toLine({ type: 'conversation', id: 'c', guildId: 'g' })}`,
  );
  const other = join(dir, 'other.jsonl');
  await writeFile(other, '{"type":"something"}\n');
  const to = ['--to', join(dir, 'broken.db')];
  const outcomes = await Promise.all([
    run(),
    run('frobnicate'),
    run('import'),
    run('export', '--from', 'mysql://x'),
    run('import', ...to, cut),
    run('import', ...to, other),
    run('import', ...to, join(dir, 'missing.jsonl')),
  ]);
  expect(outcomes.map(({ code }) => code)).toEqual([78, 78, 78, 78, 1, 1, 1]);
  expect(outcomes.map(({ said }) => said.split('\n')[0])).toEqual([
    'Say what to do.',
    'There is no frobnicate.',
    'import needs the file of an export',
    expect.stringContaining('wrong'),
    expect.stringContaining('was cut'),
    expect.stringContaining('line 1'),
    expect.stringContaining('ENOENT'),
  ]);
  for (const { said } of outcomes) expect(said).not.toContain('    at ');
});

test('a database that is not there is not made in order to be exported, moved or given a key', async () => {
  const missing = join(dir, 'parly.db');
  const target = join(dir, 'never', 'parley.db');
  const outcomes = await Promise.all([
    run('export', '--from', missing),
    run('export', '--from', 'sqlite:parly.db', join(dir, 'never.jsonl')),
    run('migrate', '--from', missing, '--to', target),
    run('rotate', '--to', missing),
  ]);
  for (const { code, out, said } of outcomes) {
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(said).toContain(`there is no database ${missing}`);
    expect(said).not.toContain('Done');
  }
  const made = await readdir(dir, { recursive: true });
  expect(made.filter((name) => /parly|never/.test(name))).toEqual([]);
});

test('what is under way is left out, and the program says how much that is', { timeout: 60_000 }, async () => {
  const file = join(dir, 'busy', 'parley.db');
  const store = openStore({ location: { kind: 'sqlite', file }, keys: undefined, clock: monotonicClock });
  await hold(store, incoming('ended'));
  await store.turns.receive(incoming('open'));
  await store.jobs.begin({
    id: 'job',
    kind: 'transcription',
    conversationId: 'channel-1',
    guildId: 'guild-1',
    channelId: 'channel-1',
    messageId: 'message',
    askedById: 'ada',
    atMs: T0,
    parameters: '{}',
  });
  await store[Symbol.asyncDispose]();
  const left = 'Left out: 1 turns that have not ended, 1 transcriptions and readings under way, 0 notices';
  const exported = await run('export', '--from', file);
  expect(exported).toMatchObject({ code: 0, said: expect.stringContaining(`Done: 1 turns.\n${left}`) });
  expect(exported.out).not.toContain('"open"');
  const moved = await run('migrate', '--from', file, '--to', join(dir, 'moved', 'parley.db'));
  expect(moved).toMatchObject({
    code: 0,
    said: expect.stringContaining(`Done: 1 turns of 1 conversations.\n${left}`),
  });
});

test('an export from before, whose lines hold line separators as they are, is imported', async () => {
  const turn = {
    ...incoming('a', { utterances: [utterance({ text: TEXT })] }),
    ...ending(),
    endedAtMs: T0,
    position: 1,
  };
  const lines = [
    { type: 'parley-export', format: 1 },
    { type: 'conversation', id: 'channel-1', guildId: 'guild-1' },
    { type: 'turn', ...turn },
    { type: 'end', records: 2 },
  ];
  const old = join(dir, 'old.jsonl');
  // With line breaks as an editor on Windows leaves them.
  await writeFile(old, lines.map((line) => `${JSON.stringify(line)}\r\n`).join(''));
  const to = join(dir, 'old', 'parley.db');
  expect(await run('import', '--to', to, old)).toMatchObject({
    code: 0,
    said: lastly('Done: 1 turns of 1 conversations.'),
  });
  const store = openStore({ location: { kind: 'sqlite', file: to }, keys: undefined, clock: monotonicClock });
  const { turns } = await store.conversations.load('channel-1', 10);
  await store[Symbol.asyncDispose]();
  expect(turns.map(({ utterances }) => utterances[0]?.text)).toEqual([TEXT]);
});

test.each(DIALECTS)('an import into a conversation that has turns already is refused on %s', async (dialect) => {
  await using source = await open(await databases.fresh('sqlite'));
  await hold(source, incoming('a'));
  await using target = await open(await databases.fresh(dialect));
  await hold(target, incoming('b'));
  const importing = importRecords(target, exportStore(source), () => {});
  await expect(importing).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('other turns') });
  expect((await target.conversations.load('channel-1', 10)).turns).toMatchObject([{ id: 'b' }]);
});

test('a line is read back as it was written, and nothing else is read', () => {
  const record = { type: 'conversation', id: 'c', guildId: 'g' } as const;
  expect(fromLine(toLine(record), 1)).toEqual(record);
  for (const line of ['', '{', '[]', '{"type":"turn"}', '{"type":"conversation","id":1,"guildId":"g"}']) {
    expect(() => fromLine(line, 7)).toThrow(
      expect.objectContaining({ kind: 'invalid', message: expect.stringContaining('7') }),
    );
  }
});
