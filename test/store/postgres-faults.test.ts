import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { OpenJob } from '../../src/store/job-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { becomes } from './support/health.ts';
import { startPostgres, withClient, type TestPostgres } from './support/postgres.ts';
import { Proxy } from './support/proxy.ts';
import { KEY, open } from './support/stores.ts';
import { ending, hold, idsOf, incoming } from './support/turns.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres[Symbol.asyncDispose]());

describe('faults of the server', () => {
  let direct: string;
  let proxy: Proxy;
  let store: SqlStore;
  beforeEach(async () => {
    direct = await postgres.createDatabase();
    const wire = await Proxy.to(direct);
    proxy = wire.proxy;
    store = await open({ kind: 'postgres', url: wire.url });
    await hold(store, incoming('before'));
    return async () => {
      await store[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    };
  });

  test.each(['cut', 'silence'] as const)(
    'gone (%s): says so in time, keeps what waits, is back by itself',
    async (how) => {
      await store.turns.receive(incoming('a'));
      proxy[how]();
      const finished = store.turns.finish('a', ending());
      const askedAtMs = performance.now();
      await expect(store.turns.receive(incoming('b'))).rejects.toMatchObject({
        kind: 'unavailable',
        shouldRetry: true,
      });
      expect(performance.now() - askedAtMs).toBeLessThan(4000);
      await becomes(store, 'failing');
      await expect(store.conversations.load('channel-1', 10)).rejects.toMatchObject({ kind: 'unavailable' });
      proxy.mend();
      expect(await finished).toBe('changed');
      await becomes(store, 'ok');
      expect(await store.turns.record(incoming('b'), ending())).toBe('changed');
      expect(await idsOf(store, 'channel-1')).toEqual(['before', 'a', 'b']);
    },
  );

  test('an answer that got lost: what was kept is kept once and is ours', async () => {
    const turn = incoming('turn:lost');
    // The server has committed, and nobody hears of it. A query ends with a zero byte.
    const write = [turn.id, 'commit\0'];
    const read = write;
    proxy.loseAnswerTo(...write);
    expect(await store.turns.receive(turn)).toBe('received');
    expect(proxy.hasLostIt).toBe(true);
    proxy.loseAnswerTo(...write);
    expect(await store.turns.advance(turn.id, 'asked')).toBe('changed');
    expect(proxy.hasLostIt).toBe(true);
    proxy.loseAnswerTo(...read, ...write);
    expect(await store.turns.finish(turn.id, ending())).toBe('changed');
    expect(proxy.hasLostIt).toBe(true);
    proxy.loseAnswerTo('turn:recorded', 'commit\0');
    expect(await store.turns.record(incoming('turn:recorded'), ending())).toBe('changed');
    expect(proxy.hasLostIt).toBe(true);
    const { turns } = await store.conversations.load('channel-1', 10);
    expect(turns.map(({ id, position }) => [id, position])).toEqual([
      ['before', 1],
      [turn.id, 2],
      ['turn:recorded', 3],
    ]);
  });

  test('an answer that got lost: what was taken over is handed out all the same, once', async () => {
    await using early = await open({ kind: 'postgres', url: direct });
    await early.turns.receive(incoming('turn:left'));
    const job = { id: 'work:left', kind: 'narration', conversationId: 'channel-1', guildId: 'guild-1' } as const;
    const where = { channelId: 'channel-1', messageId: 'message-1', askedById: 'ada', atMs: 0, parameters: '{}' };
    await early.jobs.begin({ ...job, ...where });
    await early[Symbol.asyncDispose]();

    proxy.loseAnswerTo('turn:left', 'commit\0');
    const turns = [await store.turns.takeOver(), await store.turns.takeOver(), await store.turns.takeOver()];
    expect(proxy.hasLostIt).toBe(true);
    expect(turns.flat().map(({ id }) => id)).toEqual(['turn:left']);
    proxy.loseAnswerTo('work:left', 'commit\0');
    const take = (): Promise<readonly OpenJob[]> => store.jobs.takeOver('narration');
    const jobs = [await take(), await take(), await take()];
    expect(proxy.hasLostIt).toBe(true);
    expect(jobs.flat().map(({ id, takeOvers }) => [id, takeOvers])).toEqual([['work:left', 1]]);
  });

  test('every connection ended by the server: the next operation gets another', async () => {
    await withClient(direct, (client) =>
      client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      ),
    );
    expect(await store.turns.receive(incoming('a'))).toBe('received');
  });

  test('read-only, as a standby is: says so and reads on', async () => {
    const name = new URL(direct).pathname.slice(1);
    await withClient(direct, (client) => client.query(`alter database ${name} set default_transaction_read_only = on`));
    proxy.mend();
    await expect(store.turns.receive(incoming('a'))).rejects.toMatchObject({ kind: 'read-only', shouldRetry: true });
    expect(await idsOf(store, 'channel-1')).toEqual(['before']);
    await withClient(direct, async (client) => {
      await client.query('set default_transaction_read_only = off');
      await client.query(`alter database ${name} reset default_transaction_read_only`);
    });
    proxy.mend();
    await becomes(store, 'ok');
    expect(await store.turns.receive(incoming('a'))).toBe('received');
  });

  test('away at our start: tries until it is there', async () => {
    const wire = await Proxy.to(direct);
    await using away = wire.proxy;
    away.cut();
    await using early = openStore({ location: { kind: 'postgres', url: wire.url }, keys: KEY, clock: monotonicClock });
    await expect(early.ready()).rejects.toMatchObject({ kind: 'unavailable' });
    away.mend();
    await becomes(early, 'ok');
    expect(await idsOf(early, 'channel-1')).toEqual(['before']);
  });

  test('a database that is not there: says so', async () => {
    const url = new URL(direct);
    url.pathname = '/no_such_database';
    await using wrong = openStore({ location: { kind: 'postgres', url: url.href }, keys: KEY, clock: monotonicClock });
    await expect(wrong.ready()).rejects.toMatchObject({ kind: 'refused', shouldRetry: false });
  });
});
