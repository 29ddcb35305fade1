import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { openStore } from '../../src/store/open-store.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { becomes } from './support/health.ts';
import { KEY, open } from './support/stores.ts';
import { ending, hold, idsOf, incoming, utterance } from './support/turns.ts';

describe('faults of the file', () => {
  let dir: string;
  let file: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parley-faults-'));
    file = join(dir, 'parley.db');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  test('locked by another process: reads go on, who waits gives up soon, what must be kept waits and is kept', async () => {
    await using store = await open({ kind: 'sqlite', file });
    await hold(store, incoming('before'));
    await store.turns.receive(incoming('a'));
    using other = new DatabaseSync(file, { timeout: 1000 });
    other.exec('begin immediate');
    const finished = store.turns.finish('a', ending());
    // Looked at when the lock is gone, or never when this fails before that.
    finished.catch(() => {});
    // On a busy machine a try may run out of time before it meets the lock.
    const inVain = { kind: expect.stringMatching(/^(locked|unavailable)$/), shouldRetry: true };
    await expect(store.turns.receive(incoming('b'))).rejects.toMatchObject(inVain);
    expect(await idsOf(store, 'channel-1')).toEqual(['before']);
    expect(await becomes(store, 'failing')).toMatchObject({ error: inVain });
    // Known to be down: nobody waits two seconds for it any more.
    const askedAtMs = performance.now();
    await expect(store.turns.receive(incoming('b'))).rejects.toMatchObject(inVain);
    expect(performance.now() - askedAtMs).toBeLessThan(1500);
    for (let times = 0; times < 4; times++) {
      await expect(store.turns.receive(incoming('b'))).rejects.toMatchObject(inVain);
      expect(await idsOf(store, 'channel-1')).toEqual(['before']);
    }
    await using late = await open({ kind: 'sqlite', file });
    expect(await idsOf(late, 'channel-1')).toEqual(['before']);
    expect(late.health.state.kind).toBe('failing');
    other.exec('rollback');
    expect(await finished).toBe('changed');
    await becomes(late, 'ok');
    await becomes(store, 'ok');
    expect(await store.turns.record(incoming('b'), ending())).toBe('changed');
    expect(await idsOf(store, 'channel-1')).toEqual(['before', 'a', 'b']);
  });

  test('locked: what waits is bounded', async () => {
    await using store = await open({ kind: 'sqlite', file });
    using other = new DatabaseSync(file, { timeout: 1000 });
    other.exec('begin immediate');
    const waiting = Array.from({ length: 1000 }, () => store.turns.noticeSent('a'));
    await expect(store.turns.noticeSent('a')).rejects.toMatchObject({ kind: 'overloaded', shouldRetry: true });
    other.exec('rollback');
    await Promise.all(waiting);
  });

  test('full: says so, loses nothing, and goes on when there is room', async () => {
    await using store = openStore({
      location: { kind: 'sqlite', file },
      keys: KEY,
      maxBytes: 400_000,
      clock: monotonicClock,
    });
    await store.ready();
    const kept: string[] = [];
    const utterances = [utterance({ text: 'x'.repeat(30_000) })];
    const fill = async (): Promise<void> => {
      for (let index = 0; index < 100; index++) {
        await store.turns.receive(incoming(`a${index}`, { utterances }));
        kept.push(`a${index}`);
      }
    };
    await expect(fill()).rejects.toMatchObject({ kind: 'full', shouldRetry: true });
    expect(store.health.state).toMatchObject({ kind: 'failing', error: { kind: 'full' } });
    expect(kept.length).toBeGreaterThan(3);
    const records = await Array.fromAsync(store.conversations.export('channel-1'));
    expect(records.flatMap((record) => (record.type === 'turn' ? record.id : []))).toEqual(kept);
    await store.privacy.forgetConversation('channel-1');
    await becomes(store, 'ok');
    await hold(store, incoming('again', { utterances }));
    expect(await idsOf(store, 'channel-1')).toEqual(['again']);
  });

  test('damaged: says so, leaves the file alone, and goes on when it was put right', async () => {
    const good = join(dir, 'good.db');
    const store = await open({ kind: 'sqlite', file });
    await hold(store, incoming('a'));
    await store[Symbol.asyncDispose]();
    await copyFile(file, good);
    await writeFile(file, 'this is no database'.repeat(1000));
    await using again = openStore({ location: { kind: 'sqlite', file }, keys: KEY, clock: monotonicClock });
    await expect(again.ready()).rejects.toMatchObject({ kind: 'corrupt', shouldRetry: false });
    await expect(again.turns.receive(incoming('b'))).rejects.toMatchObject({ kind: 'corrupt' });
    expect((await stat(file)).size).toBe(19_000);
    await rename(good, file);
    await becomes(again, 'ok');
    await hold(again, incoming('b'));
    expect(await idsOf(again, 'channel-1')).toEqual(['a', 'b']);
  });

  test('taken away: goes on with what is there, and does not write where nobody finds it', async () => {
    await using store = await open({ kind: 'sqlite', file });
    await hold(store, incoming('a'));
    await Promise.all(['', '-wal', '-shm'].map((end) => rm(`${file}${end}`, { force: true })));
    await hold(store, incoming('b'));
    await store[Symbol.asyncDispose]();
    await using again = await open({ kind: 'sqlite', file });
    expect(await idsOf(again, 'channel-1')).toEqual(['b']);
  });

  test('read-only: says so, and goes on when it may write', async () => {
    const store = await open({ kind: 'sqlite', file });
    await hold(store, incoming('before'));
    await store[Symbol.asyncDispose]();
    await chmod(file, 0o400);
    await chmod(dirname(file), 0o500);
    const script = fileURLToPath(new URL('./support/read-only-child.ts', import.meta.url));
    // Root may write anything, unless it gives that right up.
    const command =
      process.getuid?.() === 0
        ? ['setpriv', '--bounding-set=-dac_override', process.execPath, script, file, KEY]
        : [process.execPath, script, file, KEY];
    const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('read-only');
    await chmod(dirname(file), 0o700);
    await chmod(file, 0o600);
    child.stdin.write('writable\n');
    expect((await lines.next()).value).toBe('before,after');
    child.stdin.end();
    expect(await exit).toEqual([0, null]);
  });
});
