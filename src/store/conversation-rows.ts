import { noteMasterKey } from './conversation-keys.ts';
import type { StoreParts } from './parts.ts';
import type { Patience } from './patient-database.ts';
import type { ConversationRow } from './schema.ts';
import { StoreError } from './store-error.ts';

/** Something that begins in a conversation, which may not be kept yet. */
interface Beginning {
  readonly conversationId: string;
  readonly guildId: string;
  readonly atMs: number;
}

/**
 * The conversation's row, which is made when it is not there. `undefined` when it went again meanwhile.
 * @throws {StoreError} `invalid` when it is another server's.
 */
export async function conversationRow(
  { database, dialect, keys }: StoreParts,
  { conversationId, guildId, atMs }: Beginning,
  patience: Patience,
): Promise<ConversationRow | undefined> {
  const { builder } = dialect;
  const select = builder.selectFrom('conversations').selectAll().where('id', '=', conversationId).compile();
  const [found] = await database.read([select], patience);
  let row = found[0];
  if (!row) {
    const key = keys.create(conversationId);
    const insert = builder
      .insertInto('conversations')
      .values({
        id: conversationId,
        guild_id: guildId,
        ...key,
        ended_turns: 0,
        revision: 0,
        active_ms: Math.round(atMs),
      })
      .onConflict((conflict) => conflict.doNothing())
      .compile();
    await database.write([{ query: noteMasterKey(dialect, key.master_key_id) }, { query: insert }], patience);
    const [made] = await database.read([select], patience);
    row = made[0];
  }
  if (row && row.guild_id !== guildId) throw new StoreError('invalid', 'the conversation is of another server');
  return row;
}
