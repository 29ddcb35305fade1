import type { StoreError } from './store-error.ts';
import type { Health, StoreState } from './turn-store.ts';

export type Operation = 'read' | 'write';

/** How the store is, and who wants to know. */
export class StoreHealth implements Health {
  #state: StoreState = { kind: 'opening' };
  /** What failed, while something fails. */
  #failed: Operation | undefined;
  readonly #listeners = new Set<(state: StoreState) => void>();

  get state(): StoreState {
    return this.#state;
  }

  onChange(listener: (state: StoreState) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Something was done. A read says nothing about a disk that takes no writes. */
  ok(did: Operation): void {
    if (this.#state.kind === 'ok' || (did === 'read' && this.#failed === 'write')) return;
    this.#failed = undefined;
    this.#change({ kind: 'ok' });
  }

  /** Mistakes of a caller, a single altered row and closing say nothing about the store. */
  failing(error: StoreError, tried: Operation): void {
    if (error.kind === 'invalid' || error.kind === 'closed' || error.kind === 'internal') return;
    if (this.#failed !== 'write') this.#failed = tried;
    if (this.#state.kind === 'failing' && this.#state.error.kind === error.kind) return;
    this.#change({ kind: 'failing', error });
  }

  #change(state: StoreState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
