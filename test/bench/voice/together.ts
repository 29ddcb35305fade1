/** Resolves when everybody has called it. */
export type Together = () => Promise<void>;

/** For so many who begin at the same time: what they do before, such as to start processes, would disturb the others. */
export function togetherFor(count: number): Together {
  const { promise, resolve } = Promise.withResolvers<void>();
  let waiting = 0;
  return () => {
    waiting++;
    if (waiting >= count) resolve();
    return promise;
  };
}
