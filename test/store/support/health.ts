import type { StoreState, TurnStore } from '../../../src/store/turn-store.ts';

/** Resolves when the store is, or gets, as `kind` says. */
export function becomes(store: TurnStore, kind: StoreState['kind']): Promise<StoreState> {
  if (store.health.state.kind === kind) return Promise.resolve(store.health.state);
  const { promise, resolve } = Promise.withResolvers<StoreState>();
  const listening = store.health.onChange((state) => {
    if (state.kind !== kind) return;
    listening[Symbol.dispose]();
    resolve(state);
  });
  return promise;
}
