import { describe, expect, test } from 'vitest';

import { ModelTime } from '../../src/model/deadlines.ts';
import { ModelTimeoutError } from '../../src/model/errors.ts';
import { ManualClock } from '../support/manual-clock.ts';

const never = new Promise<never>(() => {});
const calm = new AbortController().signal;

describe('waiting for the model', () => {
  test('passes on what comes in time and leaves no timer behind', async () => {
    const clock = new ManualClock();
    const time = new ModelTime(clock, 60_000);
    const { promise, resolve } = Promise.withResolvers<string>();
    const waiting = time.wait(promise, 'first-byte', 10_000, calm);
    clock.advance(9_999);
    resolve('here');
    expect(await waiting).toBe('here');
    expect(time.spentMs).toBe(9_999);
    expect(clock.pending).toEqual([]);
  });

  test('ends at its limit and names the wait that ran out', async () => {
    const clock = new ManualClock();
    const waiting = new ModelTime(clock, 60_000).wait(never, 'between-chunks', 5_000, calm);
    clock.advance(5_000);
    await expect(waiting).rejects.toMatchObject({ kind: 'timeout', phase: 'between-chunks' });
  });

  test('all waits together end at the total', async () => {
    const clock = new ManualClock();
    const time = new ModelTime(clock, 60_000);
    for (let waits = 0; waits < 14; waits += 1) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const waiting = time.wait(promise, 'between-chunks', 5_000, calm);
      clock.advance(4_200);
      resolve();
      await waiting;
    }
    const last = time.wait(never, 'between-chunks', 5_000, calm);
    expect(clock.pending).toEqual([60_000 - 14 * 4_200]);
    clock.advance(1_200);
    await expect(last).rejects.toMatchObject({ phase: 'total' });
  });

  test("time between two waits is the consumer's, not the model's", async () => {
    const clock = new ManualClock();
    const time = new ModelTime(clock, 60_000);
    await time.wait(Promise.resolve(1), 'between-chunks', 5_000, calm);
    expect(clock.pending).toEqual([]);
    clock.advance(3_600_000);
    expect(await time.wait(Promise.resolve(2), 'between-chunks', 5_000, calm)).toBe(2);
    expect(time.spentMs).toBe(0);
  });

  test('an abort ends it with its own reason, before and during the wait', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const reason = new Error('barge-in');
    const time = new ModelTime(clock, 60_000);
    const waiting = time.wait(never, 'first-byte', 10_000, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(time.wait(Promise.resolve(1), 'first-byte', 10_000, controller.signal)).rejects.toBe(reason);
    expect(clock.pending).toEqual([]);
  });

  test("work that fails after its deadline is nobody's unhandled rejection", async () => {
    const clock = new ManualClock();
    const { promise, reject } = Promise.withResolvers<never>();
    const waiting = new ModelTime(clock, 60_000).wait(promise, 'first-byte', 10_000, calm);
    clock.advance(10_000);
    await expect(waiting).rejects.toBeInstanceOf(ModelTimeoutError);
    reject(new Error('socket closed'));
    // vitest fails the run on an unhandled rejection.
    await new Promise((resolve) => setImmediate(resolve));
  });
});
