/**
 * Runs a task for each item, several at a time, and yields the results in the order of the items. Items are taken only when
 * a task may start. The first failure, in that order, ends it; leaving early or failing aborts the tasks still running.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  run: (item: T, signal: AbortSignal) => Promise<R>,
  { atOnce, signal }: { readonly atOnce: number; readonly signal: AbortSignal },
): AsyncGenerator<R, void, undefined> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const running: Promise<R>[] = [];
  const source = items[Symbol.asyncIterator]();
  let ended = false;
  /** The item being waited for. */
  let next: Promise<void> | undefined;
  let broken: { error: unknown } | undefined;

  const take = async (): Promise<void> => {
    try {
      const { value, done } = await source.next();
      if (done) {
        ended = true;
        return;
      }
      const task = run(value, both);
      // Awaited when its turn comes: until then a failure must not count as unhandled.
      task.catch(() => {});
      running.push(task);
    } catch (error) {
      broken = { error };
      ended = true;
    }
  };

  try {
    for (;;) {
      if (!ended && !next && running.length < atOnce) next = take().finally(() => (next = undefined));
      const first = running[0];
      if (!first) {
        if (!next) break;
        await next;
        continue;
      }
      // While the oldest runs, others are started beside it.
      if (next && running.length < atOnce) {
        const done = await Promise.race([first.then(settled, settled), next]);
        if (done === undefined) continue;
      }
      const result = await first;
      void running.shift();
      yield result;
    }
    if (broken) throw broken.error;
  } finally {
    stop.abort();
    await source.return?.();
    await Promise.allSettled(running);
  }
}

function settled(): true {
  return true;
}

/** Items that are all there, for {@link inOrder}. */
export async function* each<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* items;
}
