import type { ConversationKeys } from './conversation-keys.ts';
import type { SqlDialect } from './dialect.ts';
import type { Lease } from './lease.ts';
import type { PatientDatabase } from './patient-database.ts';
import { StoreError } from './store-error.ts';

/** What the parts of the store work with. */
export interface StoreParts {
  readonly database: PatientDatabase;
  readonly dialect: SqlDialect;
  readonly keys: ConversationKeys;
  readonly lease: Lease;
}

const MAX_ID_LENGTH = 200;

/**
 * Ids come from Discord and from us: visible characters, and not many of them.
 * @throws {StoreError} `invalid`
 */
export function checkIds(...ids: readonly string[]): void {
  for (const id of ids) {
    if (id.length > MAX_ID_LENGTH || !/^[\x21-\x7e]+$/.test(id)) {
      throw new StoreError('invalid', `an id has ${id.length} characters, or one that is not plain ASCII`);
    }
  }
}
