import { describe, expect, it } from 'vitest';

import { inOrder } from '../../src/files/in-order.ts';

const { signal } = new AbortController();

async function* numbers(count: number): AsyncGenerator<number, void, undefined> {
  for (let i = 0; i < count; i++) yield i;
}

describe('inOrder', () => {
  it('keeps the order, whichever is ready first', async () => {
    const tasks = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
    const results = Array.fromAsync(
      inOrder(numbers(6), async (item) => (await tasks[item]?.promise, item), { atOnce: 6, signal }),
    );
    for (const item of [4, 1, 5, 0, 3, 2]) tasks[item]?.resolve();
    expect(await results).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('has no more than so many at once, and as many as it may', async () => {
    let [running, most] = [0, 0];
    const run = async (item: number): Promise<number> => {
      most = Math.max(most, ++running);
      for (let i = 0; i < (item * 7) % 5; i++) await new Promise((resolve) => setImmediate(resolve));
      running--;
      return item;
    };
    expect(await Array.fromAsync(inOrder(numbers(50), run, { atOnce: 3, signal }))).toHaveLength(50);
    expect(most).toBe(3);
  });

  it('yields what came before a failure, then fails and stops the others', async () => {
    const aborted: number[] = [];
    const run = async (item: number, stop: AbortSignal): Promise<number> => {
      if (item === 0) return item;
      if (item === 1) throw new Error('no');
      await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve()));
      aborted.push(item);
      return item;
    };
    const got: number[] = [];
    const all = (async () => {
      for await (const item of inOrder(numbers(10), run, { atOnce: 4, signal })) got.push(item);
    })();
    await expect(all).rejects.toThrow('no');
    expect(got).toEqual([0]);
    expect(aborted.length).toBeGreaterThan(0);
  });

  it('fails as its source does, after what came before', async () => {
    async function* source(): AsyncGenerator<number, void, undefined> {
      yield 1;
      throw new Error('broken');
    }
    const got: number[] = [];
    const all = (async () => {
      for await (const item of inOrder(source(), async (item) => item, { atOnce: 4, signal })) got.push(item);
    })();
    await expect(all).rejects.toThrow('broken');
    expect(got).toEqual([1]);
  });
});
