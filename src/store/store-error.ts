/**
 * What is wrong with the store.
 * - `locked`: another process holds the database.
 * - `full`: no room on the disk, or the configured size is reached.
 * - `read-only`: the file, its folder or the server takes no writes.
 * - `unavailable`: the server or the disk does not answer.
 * - `overloaded`: too many operations wait, or they wait too long.
 * - `corrupt`: the file is damaged or is no database, or a row was altered.
 * - `newer-schema`: a newer Parley made this database.
 * - `wrong-key`: what is kept was encrypted with a key that is not configured.
 * - `refused`: the server refuses us: name, password or database are wrong.
 * - `invalid`: an id or a value that no database takes; a mistake of the caller.
 * - `closed`: the store was closed.
 * - `internal`: a mistake in the store itself.
 */
export type StoreTrouble =
  | 'locked'
  | 'full'
  | 'read-only'
  | 'unavailable'
  | 'overloaded'
  | 'corrupt'
  | 'newer-schema'
  | 'wrong-key'
  | 'refused'
  | 'invalid'
  | 'closed'
  | 'internal';

/** Troubles that pass: the same operation may succeed later without anybody mending the program or its settings. */
const PASSING: ReadonlySet<StoreTrouble> = new Set(['locked', 'full', 'read-only', 'unavailable', 'overloaded']);

/**
 * The store could not do what it was asked. Nothing of the operation was kept, with two exceptions. `unavailable`: an answer
 * that was lost on its way may have followed a write that was made. And what deletes may have deleted, and only failed to
 * clean the files after it: doing it again cleans them.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreTrouble;

  /** `message` is for the operator and the log: it names what to do, and never holds what people said. */
  constructor(kind: StoreTrouble, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }

  get shouldRetry(): boolean {
    return PASSING.has(this.kind);
  }
}
