/** Whether one part of the program can do its work, and why not. */
export type PartState = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** What an orchestrator asks for before it sends work: ready when every part is. */
export interface ReadinessReport {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, PartState>>;
}

/** Where one part says how it is. */
export interface Part {
  ready(): void;
  /** `reason` is shown to whoever asks: a few fixed words, no ids and no error texts. */
  notReady(reason: string): void;
}

/** The parts of the program and how each of them is. */
export class Readiness {
  readonly #parts = new Map<string, PartState>();

  /** Adds a part, which is not ready until it says so. Its name must be new. */
  part(name: string): Part {
    if (this.#parts.has(name)) throw new RangeError(`there is a part called ${name} already`);
    this.#parts.set(name, { ready: false, reason: 'starting' });
    return {
      ready: () => void this.#parts.set(name, { ready: true }),
      notReady: (reason) => void this.#parts.set(name, { ready: false, reason }),
    };
  }

  /** Not ready while there are no parts: nothing has begun yet. */
  report(): ReadinessReport {
    const states = [...this.#parts.values()];
    return {
      ready: states.length > 0 && states.every((state) => state.ready),
      parts: Object.fromEntries(this.#parts),
    };
  }
}
