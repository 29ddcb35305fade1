import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as elapsed } from 'node:timers/promises';

import { sql } from 'kysely';

import type { SqlStore } from '../../src/store/sql-store.ts';
import { DIALECTS, open, startDatabases, type Dialect } from '../store/support/stores.ts';
import { ending, incoming, utterance } from '../store/support/turns.ts';

const SIZES = [10, 1000, 100_000] as const;
/** Turns of the conversation that is measured, as far as the store is large enough. */
const OWN_TURNS = 200;
const MEASURED = 150;
const LOCK_MS = 5000;
const LOCK_ROUNDS = 3;
/** A second of speech at 64 kbit/s. */
const SOUND = { format: 'mp3', durationMs: 3000, data: new Uint8Array(24_000).fill(7) } as const;

/** What keeping and loading a turn costs in stores of growing size, and how the event loop fares while SQLite is locked. */
export async function benchStore(): Promise<string[]> {
  await using databases = await startDatabases();
  const lines = [
    '| store | turns kept | append p50 | append p95 | of it receive p50 | load p50 | load p95 |',
    '|---|---|---|---|---|---|---|',
  ];
  for (const dialect of DIALECTS) {
    for (const size of SIZES) {
      await using store = await open(await databases.fresh(dialect));
      await fill(store, dialect, size);
      const { append, receive, load } = await measure(store);
      const figures = [at(append, 50), at(append, 95), at(receive, 50), at(load, 50), at(load, 95)];
      lines.push(`| ${[dialect, size, ...figures].join(' | ')} |`);
    }
  }
  return [...lines, '', ...(await benchLock())];
}

/** Others' turns are rows of the same shape; nobody reads them, so their words need not open. */
async function fill(store: SqlStore, dialect: Dialect, size: number): Promise<void> {
  const own = Math.min(size, OWN_TURNS);
  for (let index = 0; index < own; index++) {
    await store.turns.record(incoming(`own:${index}`, { utterances: [utterance()] }), ending());
  }
  if (size <= own) return;
  const numbers = (count: number): string =>
    dialect === 'sqlite'
      ? `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count}) select i from n`
      : `select generate_series(1, ${count}) as i`;
  const others = numbers(size - own);
  const blob = dialect === 'sqlite' ? 'zeroblob(60)' : "decode(repeat('00', 60), 'hex')";
  const statements = [
    `insert into conversations select 'other:' || i, 'guild-' || (i % 50), 'k', ${blob}, 'm', 1000, 0, 0 from (${numbers(1000)}) numbers`,
    `insert into turns (id, conversation_id, guild_id, state, owner_id, receipt, received_ms, ended_ms, position, notice_due, reply)
      select 'other:' || i, 'other:' || (1 + i % 1000), 'guild-' || (i % 50), 'done', 'o', 'r', i, i, 1 + i / 1000, 0, ${blob} from (${others}) numbers`,
    `insert into utterances (turn_id, ordinal, conversation_id, guild_id, speaker_id, offset_ms, name, text)
      select 'other:' || i, 0, 'other:' || (1 + i % 1000), 'guild-' || (i % 50), 'person-' || (i % 500), 0, ${blob}, ${blob} from (${others}) numbers`,
  ];
  const { database, dialect: words } = store.parts;
  for (const statement of statements) {
    await database.write([{ query: sql.raw(statement).compile(words.builder) }], 'long');
  }
  if (dialect === 'postgres') await database.write([{ query: sql.raw('analyze').compile(words.builder) }], 'long');
}

async function measure(store: SqlStore): Promise<Record<'append' | 'receive' | 'load', number[]>> {
  const times = { append: [] as number[], receive: [] as number[], load: [] as number[] };
  for (let index = 0; index < MEASURED; index++) {
    const turn = incoming(`measured:${index}`, { utterances: [utterance({ speech: SOUND })] });
    const startedAtMs = performance.now();
    await store.turns.receive(turn);
    times.receive.push(performance.now() - startedAtMs);
    await store.turns.advance(turn.id, 'asked');
    await store.turns.advance(turn.id, 'speaking');
    await store.turns.finish(turn.id, ending());
    await store.conversations.keepSpeechOfNewest(turn.conversationId, 1);
    times.append.push(performance.now() - startedAtMs);
    const loadingAtMs = performance.now();
    await store.conversations.load(turn.conversationId, 40);
    times.load.push(performance.now() - loadingAtMs);
  }
  return times;
}

/** The longest that this thread stood still: doing nothing, and while the store waits for a locked file. */
async function benchLock(): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-bench-'));
  const file = join(dir, 'parley.db');
  try {
    await using store = await open({ kind: 'sqlite', file });
    const lines: string[] = [];
    const longestMs: number[] = [];
    using other = new DatabaseSync(file, { timeout: 1000 });
    for (let round = 1; round <= LOCK_ROUNDS; round++) {
      const idle = await stalls(() => elapsed(LOCK_MS));
      const locked = await stalls(() => talkWhileLocked(store, other, `${round}`));
      longestMs.push(locked.maxMs);
      lines.push(
        `event loop, round ${round}, ${LOCK_MS / 1000} s each: idle p99 ${idle.p99Ms.toFixed(1)}, longest ${idle.maxMs.toFixed(1)} ms late; SQLite locked p99 ${locked.p99Ms.toFixed(1)}, longest ${locked.maxMs.toFixed(1)} ms late`,
      );
    }
    // The longest delay of one round is the machine's as often as ours; that of most rounds is not.
    const median = longestMs.toSorted((a, b) => a - b)[Math.floor(LOCK_ROUNDS / 2)] ?? Number.NaN;
    const outcome = median <= 20 ? 'reached' : 'MISSED ';
    return [
      ...lines,
      `${outcome}  no stall because of the database, median of the longest: target <= 20 ms, figure ${median.toFixed(1)} ms`,
    ];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Turns begin, end and are loaded while another process has the file. */
async function talkWhileLocked(store: SqlStore, other: DatabaseSync, name: string): Promise<void> {
  await store.turns.receive(incoming(`${name}:kept`));
  other.exec('begin immediate');
  const finished = store.turns.finish(`${name}:kept`, ending());
  const endsAtMs = performance.now() + LOCK_MS;
  for (let index = 0; performance.now() < endsAtMs; index++) {
    await store.turns.receive(incoming(`${name}:${index}`)).catch(() => {});
    await store.conversations.load('channel-1', 40);
    await elapsed(5);
  }
  other.exec('rollback');
  if ((await finished) !== 'changed') throw new Error('a turn that ended while the file was locked was not kept');
}

async function stalls(work: () => Promise<unknown>): Promise<{ p99Ms: number; maxMs: number }> {
  const resolution = 1;
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  await work();
  delay.disable();
  // It measures the time between two timers, their own distance included.
  return { p99Ms: delay.percentile(99) / 1e6 - resolution, maxMs: delay.max / 1e6 - resolution };
}

function at(values: readonly number[], percent: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
  return `${value.toFixed(2)} ms`;
}
