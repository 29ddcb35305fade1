import { noteMasterKey } from './conversation-keys.ts';
import type { SqlStore } from './sql-store.ts';

/** Conversations rewrapped in one transaction. */
const PAGE = 200;

/**
 * Wraps every conversation's key with the newest master key. What people said is not touched: it is sealed with those keys.
 * Safe beside running processes that know the newest key, or read it from the key file. Returns how many were rewrapped.
 */
export async function rotateKeys(store: SqlStore, onProgress: (rewrapped: number) => void): Promise<number> {
  const { database, dialect, keys } = store.parts;
  const { builder } = dialect;
  const newest = keys.newestMasterId;
  let rewrapped = 0;
  for (;;) {
    const [page] = await database.read(
      [builder.selectFrom('conversations').selectAll().where('master_key_id', '!=', newest).limit(PAGE).compile()],
      'patient',
    );
    if (page.length === 0) break;
    const statements = await Promise.all(
      page.map(async (row) => ({
        query: builder
          .updateTable('conversations')
          .set(await keys.rewrap(row.id, row))
          .where('id', '=', row.id)
          .where('key_id', '=', row.key_id)
          .compile(),
      })),
    );
    await database.write([{ query: noteMasterKey(dialect, newest) }, ...statements], 'long');
    rewrapped += page.length;
    onProgress(rewrapped);
  }
  const unused = builder
    .deleteFrom('master_keys')
    .where((key) =>
      key.not(
        key.exists(
          key
            .selectFrom('conversations')
            .select('conversations.id')
            .whereRef('conversations.master_key_id', '=', 'master_keys.key_id'),
        ),
      ),
    )
    .compile();
  await database.write([{ query: unused }], 'long');
  await database.scrub();
  return rewrapped;
}
