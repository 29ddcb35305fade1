import { DiscordAPIError, DiscordjsError } from 'discord.js';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { ChannelWriter, type Writable } from '../../src/discord/channel-writer.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { silentLog } from '../support/silent-log.ts';

/** A channel that takes what is written at once, and remembers when. */
function channel() {
  const clock = new ManualClock();
  const stopping = new AbortController();
  const writer = new ChannelWriter(clock, silentLog, stopping.signal);
  const written: { readonly name: string; readonly atMs: number }[] = [];
  const item = (name: string, kind: Writable['kind'], outcomes: ('written' | 'nothing' | 'more')[] = []): Writable => ({
    kind,
    write: () => {
      const outcome = outcomes.shift() ?? 'written';
      if (outcome !== 'nothing') written.push({ name, atMs: clock.nowMs() });
      return Promise.resolve(outcome);
    },
  });
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 100) {
      await settle();
      clock.advance(100);
    }
    await settle();
  };
  const names = (): string[] => written.map(({ name }) => name);
  return { clock, stopping, writer, written, item, pass, names };
}

/** Something that Discord does not get `failures` times; says when it was tried. */
function lost(clock: ManualClock, kind: Writable['kind'], failures: number, more: Partial<Writable> = {}) {
  const triedAtMs: number[] = [];
  const write = (): Promise<'written'> => {
    triedAtMs.push(clock.nowMs());
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND discord.com'), { code: 'ENOTFOUND' });
    return triedAtMs.length > failures ? Promise.resolve('written') : Promise.reject(error);
  };
  return { ...more, kind, write, triedAtMs };
}

function refusal(): DiscordAPIError {
  const body = { code: 50013, message: 'Missing Permissions' };
  return new DiscordAPIError(body, 50013, 403, 'POST', '/channels/1/messages', { files: undefined, body: undefined });
}

/** What the library says of a channel that is gone; its own constructor is not for others. */
function unknownChannel(): Error {
  return Object.create(DiscordjsError.prototype);
}

/** Lets everything that waits for nothing but its turn go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

test('two new messages are written at once, an edit after them waits a moment', async () => {
  const { writer, item, pass, written } = channel();
  writer.enqueue(item('hers', 'new'));
  writer.enqueue(item('ours', 'new'));
  writer.enqueue(item('ours, longer', 'edit'));
  await pass(2000);
  expect(written).toEqual([
    { name: 'hers', atMs: 0 },
    { name: 'ours', atMs: 0 },
    { name: 'ours, longer', atMs: 1200 },
  ]);
});

test('a new message does not wait for the edits before it', async () => {
  const { writer, item, pass, names, written } = channel();
  writer.enqueue(item('first', 'edit'));
  await pass(100);
  writer.enqueue(item('second', 'edit'));
  await pass(100);
  writer.enqueue(item('notice', 'new'));
  await pass(3000);
  expect(names()).toEqual(['first', 'notice', 'second']);
  expect(written[1]?.atMs).toBe(200);
});

test('edits that never end leave room for new messages, and take turns', async () => {
  const { writer, item, pass, written } = channel();
  const [caption, panel] = [item('caption', 'edit'), item('panel', 'edit')];
  const waits: number[] = [];
  for (let step = 0; step < 300; step++) {
    writer.enqueue(caption);
    writer.enqueue(panel);
    if (step % 60 === 59) writer.enqueue(item(`new ${step}`, 'new'));
    await pass(100);
    const fresh = written.find(({ name }) => name === `new ${step}`);
    if (step % 60 === 59) waits.push(fresh ? fresh.atMs - step * 100 : Infinity);
  }
  expect(Math.max(...waits)).toBe(0);
  const count = (wanted: string): number => written.filter(({ name }) => name === wanted).length;
  expect(count('caption')).toBeGreaterThan(8);
  expect(Math.abs(count('caption') - count('panel'))).toBeLessThanOrEqual(1);
});

test('what belongs together is written together, and what needs no request costs nothing', async () => {
  const { writer, item, pass, names, written } = channel();
  writer.enqueue(item('long', 'new', ['more', 'more', 'written']));
  writer.enqueue(item('same as before', 'edit', ['nothing']));
  writer.enqueue(item('other', 'new'));
  await pass(100);
  expect(names()).toEqual(['long', 'long', 'long', 'other']);
  expect(written.at(-1)?.atMs).toBe(0);
});

test.for([
  ['Discord', refusal()],
  ['the library', unknownChannel()],
] as const)('something that %s refuses to write does not hold up the rest', async ([, error]) => {
  const { writer, item, pass, names } = channel();
  writer.enqueue({ kind: 'new', write: () => Promise.reject(error) });
  writer.enqueue(item('next', 'new'));
  await pass(100);
  expect(names()).toEqual(['next']);
});

test('a new message, or the last edit of one, that does not reach Discord is tried again, and keeps its place', async () => {
  const { clock, writer, item, pass, names } = channel();
  const [notice, ending] = [lost(clock, 'new', 5), lost(clock, 'edit', 1, { isFinal: true })];
  writer.enqueue(notice);
  writer.enqueue(item('after it', 'new'));
  writer.enqueue(ending);
  await pass(24_900);
  expect(names()).toEqual([]);
  await pass(10_000);
  expect(notice.triedAtMs).toEqual([0, 1000, 3000, 7000, 15_000, 25_000]);
  expect(names()).toEqual(['after it']);
  expect(ending.triedAtMs).toHaveLength(2);
});

test('an edit that newer ones follow is tried once', async () => {
  const { clock, writer, item, pass, names } = channel();
  const stale = lost(clock, 'edit', 1);
  writer.enqueue(stale);
  writer.enqueue(item('next', 'new'));
  await pass(5000);
  expect(stale.triedAtMs).toHaveLength(1);
  expect(names()).toEqual(['next']);
});

test('what does not reach Discord for two minutes is given up, and what comes after it has its own two minutes', async () => {
  const { clock, writer, pass } = channel();
  const never = lost(clock, 'new', Infinity);
  writer.enqueue(never);
  await pass(200_000);
  expect(never.triedAtMs.at(-1)).toBeLessThan(131_000);
  const late = lost(clock, 'new', 1);
  writer.enqueue(late);
  await pass(20_000);
  expect(late.triedAtMs).toHaveLength(2);
});

test('nobody who closes it waits for a Discord that cannot be reached, and its last words are still told later', async () => {
  const { clock, writer, pass } = channel();
  const farewell = lost(clock, 'new', 3);
  writer.enqueue(farewell);
  await writer[Symbol.asyncDispose]();
  expect(farewell.triedAtMs).toEqual([0]);
  await pass(60_000);
  expect(farewell.triedAtMs).toEqual([0, 1000, 3000, 7000]);
});

test('when Parley stops, nothing is tried again', async () => {
  const { clock, stopping, writer, pass } = channel();
  const [before, farewell] = [lost(clock, 'new', Infinity), lost(clock, 'new', Infinity)];
  writer.enqueue(before);
  await pass(1000);
  stopping.abort();
  writer.enqueue(farewell);
  await writer[Symbol.asyncDispose]();
  expect(before.triedAtMs).toEqual([0, 1000, 1000]);
  expect(farewell.triedAtMs).toHaveLength(1);
  expect(clock.pending).toEqual([]);
});

test('of a flood the oldest is dropped, and told', async () => {
  const { writer, item, pass, names } = channel();
  const dropped: number[] = [];
  for (let index = 0; index < 30; index++) {
    writer.enqueue({ ...item(`${index}`, 'new'), dropped: () => void dropped.push(index) });
  }
  await pass(60_000);
  expect(names().length + dropped.length).toBe(30);
  expect(names().at(-1)).toBe('29');
  expect(dropped.length).toBeGreaterThan(5);
});

test('when it closes, what waits is written without pauses', async () => {
  const { writer, item, names } = channel();
  for (let index = 0; index < 9; index++) writer.enqueue(item(`${index}`, index < 6 ? 'new' : 'edit'));
  await writer[Symbol.asyncDispose]();
  expect(names()).toHaveLength(9);
});

test('whatever comes, there are never more than five writes in five seconds', async () => {
  const arrivals = fc.array(fc.tuple(fc.constantFrom('new', 'edit'), fc.integer({ min: 0, max: 3000 })), {
    minLength: 10,
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(arrivals, async (steps) => {
      const { writer, item, pass, written } = channel();
      for (const [kind, ms] of steps) {
        writer.enqueue(item(kind, kind));
        await pass(ms);
      }
      await pass(30_000);
      for (const [index, { atMs }] of written.entries()) {
        const sixth = written[index + 5];
        if (sixth) expect(sixth.atMs - atMs).toBeGreaterThanOrEqual(5000);
      }
    }),
    { numRuns: 30 },
  );
});
