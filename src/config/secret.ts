import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * A value that must not be shown: a token, a key, a connection string. Printing, serialising, cloning or enumerating it
 * gives `[redacted]` or nothing; only {@link Secret.reveal} gives the value, so every use of it can be found by name.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one call that needs it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.toPrimitive](): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
