import type { SandboxEvent } from './protocol.ts';

/** Passes what happens in the sandbox to whoever listens at that moment. */
export class EventHub {
  readonly #listeners = new Set<(event: SandboxEvent) => void>();

  emit(event: SandboxEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Disposing the result ends it. */
  subscribe(listener: (event: SandboxEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
