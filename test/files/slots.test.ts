import { expect, it } from 'vitest';

import { Slots } from '../../src/files/slots.ts';

const { signal } = new AbortController();

it('lets so many through, then one for each that is done, in order', async () => {
  const slots = new Slots(1, 2);
  const done: string[] = [];
  const first = await slots.take(signal);
  const waiting = ['second', 'third'].map(async (name) => {
    using _ = await slots.take(signal);
    done.push(name);
  });
  expect(await slots.take(signal)).toBeUndefined();
  expect(done).toEqual([]);

  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  await Promise.all(waiting);
  expect(done).toEqual(['second', 'third']);
  // Everything was given back, and once.
  using again = await slots.take(signal);
  expect(again).toBeDefined();
  const later = slots.take(signal);
  again?.[Symbol.dispose]();
  expect(await later).toBeDefined();
});

it('forgets whoever does not want to wait any more', async () => {
  const slots = new Slots(1, 1);
  const first = await slots.take(signal);
  const controller = new AbortController();
  const impatient = slots.take(controller.signal);
  controller.abort(new Error('enough'));
  await expect(impatient).rejects.toThrow('enough');

  const next = slots.take(signal);
  first?.[Symbol.dispose]();
  expect(await next).toBeDefined();
});
