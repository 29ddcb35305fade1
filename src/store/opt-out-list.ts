import type { Clock } from '../time/clock.ts';
import type { Privacy } from './turn-store.ts';

/** How soon an opt-out that another process took is known here. Our own is known at once. */
const REFRESH_MS = 5000;

/**
 * Who does not want to be heard, at hand without waiting: asked before every subscription. Until the first answer of the
 * store it is `unknown` whether someone may be heard; afterwards a store that is away leaves what was known.
 */
export class OptOutList implements Disposable {
  readonly #privacy: Pick<Privacy, 'optedOut' | 'setOptedOut'>;
  readonly #clock: Clock;
  readonly #onChange: (personId: string, optedOut: boolean) => void;
  #people: ReadonlySet<string> | undefined;
  /** Opt-outs that the store has not been told of yet, and when they were chosen. */
  readonly #unsaved = new Map<string, number>();
  #changes = 0;
  #timer: Disposable | undefined;
  #isDisposed = false;

  /** `onChange` hears of everyone whose choice changed, from whichever process, the first answer included. */
  constructor(
    privacy: Pick<Privacy, 'optedOut' | 'setOptedOut'>,
    clock: Clock,
    onChange: (personId: string, optedOut: boolean) => void,
  ) {
    this.#privacy = privacy;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  has(personId: string): boolean | 'unknown' {
    return this.#people?.has(personId) ?? 'unknown';
  }

  /**
   * Takes a choice: counts from now on, and is kept when this resolves. An opt-out that could not be kept counts all the same,
   * and is tried again. @throws {StoreError}
   */
  async set(personId: string, optedOut: boolean, atMs: number): Promise<void> {
    this.#changes++;
    // Opting in waits for the store: better unheard for a moment than heard against someone's will.
    if (optedOut) {
      this.#unsaved.set(personId, atMs);
      if (this.#people) this.#become(new Set(this.#people).add(personId));
    }
    await this.#privacy.setOptedOut(personId, optedOut, atMs);
    this.#unsaved.delete(personId);
    this.#changes++;
    await this.refresh();
  }

  /** Reads the list, now and every few seconds from now on. Rejects only at this first time. @throws {StoreError} */
  async start(): Promise<void> {
    this.#again();
    await this.refresh();
  }

  async refresh(): Promise<void> {
    const changes = this.#changes;
    const people = new Set([...(await this.#privacy.optedOut()), ...this.#unsaved.keys()]);
    // What was read before a change here says nothing about it.
    if (changes !== this.#changes) return;
    const chosenElsewhere = this.#people ? people.difference(this.#people) : new Set<string>();
    this.#become(people);
    // Until now this process may have gone on keeping their sound.
    for (const personId of chosenElsewhere) {
      if (this.has(personId) === true) await this.#privacy.setOptedOut(personId, true, Date.now());
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
  }

  #again(): void {
    if (this.#isDisposed) return;
    this.#timer = this.#clock.after(REFRESH_MS, () => {
      // The store says by itself when it is away.
      void this.#save()
        .then(() => this.refresh())
        .catch(() => {})
        .finally(() => this.#again());
    });
  }

  async #save(): Promise<void> {
    for (const [personId, atMs] of this.#unsaved) {
      await this.#privacy.setOptedOut(personId, true, atMs);
      this.#unsaved.delete(personId);
    }
  }

  #become(people: ReadonlySet<string>): void {
    const before = this.#people ?? new Set<string>();
    this.#people = people;
    for (const personId of people.difference(before)) this.#onChange(personId, true);
    for (const personId of before.difference(people)) this.#onChange(personId, false);
  }
}
