import { noteMasterKey } from './conversation-keys.ts';
import type { WriteStatement } from './database.ts';
import { checkIds } from './parts.ts';
import type { ConversationRow } from './schema.ts';
import type { SqlStore } from './sql-store.ts';
import { StoreError } from './store-error.ts';
import { summaryColumns } from './summary-rows.ts';
import { endingColumns, openingColumns, participantStatements, utteranceStatements } from './turn-rows.ts';
import type { ExportRecord, TurnRecord } from './turn-store.ts';

/** Turns kept in one transaction. */
const BATCH = 100;

export interface Imported {
  readonly conversations: number;
  readonly turns: number;
  /** Turns that were there already: an import that was cut can be run again. */
  readonly skipped: number;
}

/**
 * Keeps what an export holds.
 * @throws {StoreError} `invalid` when a conversation has other turns here already.
 */
export async function importRecords(
  store: SqlStore,
  records: AsyncIterable<ExportRecord>,
  onProgress: (imported: Imported) => void,
): Promise<Imported> {
  const importer = new Importer(store);
  for await (const record of records) {
    await importer.take(record);
    onProgress(importer.imported);
  }
  await importer.flush();
  onProgress(importer.imported);
  return importer.imported;
}

class Importer {
  readonly #store: SqlStore;
  #imported: Imported = { conversations: 0, turns: 0, skipped: 0 };
  #conversation: { readonly row: ConversationRow; readonly key: Uint8Array } | undefined;
  #batch: TurnRecord[] = [];

  constructor(store: SqlStore) {
    this.#store = store;
  }

  get imported(): Imported {
    return this.#imported;
  }

  async take(record: ExportRecord): Promise<void> {
    switch (record.type) {
      case 'conversation':
        await this.flush();
        this.#conversation = await this.#begin(record);
        this.#imported = { ...this.#imported, conversations: this.#imported.conversations + 1 };
        break;
      case 'turn':
        this.#batch.push(record);
        if (this.#batch.length >= BATCH) await this.flush();
        break;
      case 'summary':
        await this.flush();
        await this.#keepSummary(record);
        break;
      case 'opt-out':
        await this.#store.privacy.setOptedOut(record.personId, true, record.sinceMs);
        break;
      case 'channel-settings':
        await this.#store.settings.put(record.channelId, record.guildId, record);
        break;
      case 'guild-deletion':
        await this.#store.privacy.scheduleGuildDeletion(record.guildId, record.dueMs);
        break;
    }
  }

  /** Keeps the turns that wait. */
  async flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    const { database, dialect, lease } = this.#store.parts;
    const { builder } = dialect;
    const { row, key } = this.#of(batch[0]?.conversationId);
    const [there] = await database.read(
      [
        builder
          .selectFrom('turns')
          .select(['id', 'position'])
          .where('conversation_id', '=', row.id)
          .where('position', '>=', Math.min(...batch.map((turn) => turn.position)))
          .where('position', '<=', Math.max(...batch.map((turn) => turn.position)))
          .compile(),
      ],
      'patient',
    );
    const idAt = new Map(there.map((turn) => [turn.position, turn.id]));
    const fresh = batch.filter((turn) => {
      const id = idAt.get(turn.position);
      if (id !== undefined && id !== turn.id) {
        throw new StoreError(
          'invalid',
          `conversation ${row.id} has other turns in this database already: import it into an empty one`,
        );
      }
      return id === undefined;
    });
    const newest = batch.at(-1);
    const statements: WriteStatement[] = fresh.flatMap((turn) => {
      checkIds(turn.id, turn.guildId, ...turn.utterances.map((utterance) => utterance.speakerId));
      if (turn.conversationId !== row.id)
        throw new StoreError('invalid', `turn ${turn.id} comes before its conversation`);
      const columns = {
        ...openingColumns(turn, lease.ownerId, 'import'),
        ...endingColumns(turn.id, { ...turn, atMs: turn.endedAtMs }, key),
        position: turn.position,
      };
      return [
        { query: builder.insertInto('turns').values(columns).compile() },
        ...utteranceStatements(dialect, turn, key),
      ];
    });
    const count = builder
      .updateTable('conversations')
      .set({ ended_turns: newest?.position ?? 0, active_ms: Math.round(newest?.endedAtMs ?? 0) })
      .where('id', '=', row.id)
      .where('ended_turns', '<', newest?.position ?? 0)
      .compile();
    await database.write([...statements, { query: count }], 'long');
    this.#imported = {
      ...this.#imported,
      turns: this.#imported.turns + fresh.length,
      skipped: this.#imported.skipped + batch.length - fresh.length,
    };
  }

  async #begin({
    id,
    guildId,
    participants = [],
  }: ExportRecord & { type: 'conversation' }): Promise<{ row: ConversationRow; key: Uint8Array }> {
    checkIds(id, guildId, ...participants);
    const { database, dialect, keys } = this.#store.parts;
    const { builder } = dialect;
    const wrapped = keys.create(id);
    const insert = builder
      .insertInto('conversations')
      .values({ id, guild_id: guildId, ...wrapped, ended_turns: 0, revision: 0, active_ms: 0 })
      .onConflict((conflict) => conflict.doNothing())
      .compile();
    await database.write(
      [
        { query: noteMasterKey(dialect, wrapped.master_key_id) },
        { query: insert },
        // More than its turns tell: its summary may hold what was said in turns that are deleted already.
        ...participantStatements(dialect, { conversationId: id, guildId }, participants),
      ],
      'patient',
    );
    const [rows] = await database.read(
      [builder.selectFrom('conversations').selectAll().where('id', '=', id).compile()],
      'patient',
    );
    const row = rows[0];
    if (!row) throw new StoreError('invalid', `conversation ${id} was forgotten while it was imported`);
    return { row, key: await keys.unwrap(id, row) };
  }

  async #keepSummary(record: ExportRecord & { type: 'summary' }): Promise<void> {
    const { database, dialect } = this.#store.parts;
    const { row, key } = this.#of(record.conversationId);
    const columns = summaryColumns(row.id, record, key);
    const query = dialect.builder
      .insertInto('summaries')
      .values({ conversation_id: row.id, guild_id: row.guild_id, ...columns })
      .onConflict((conflict) => conflict.column('conversation_id').doUpdateSet(columns))
      .compile();
    await database.write([{ query }], 'patient');
  }

  #of(conversationId: string | undefined): { readonly row: ConversationRow; readonly key: Uint8Array } {
    const conversation = this.#conversation;
    if (!conversation || conversation.row.id !== conversationId) {
      throw new StoreError('invalid', `conversation ${conversationId} is not announced before what it holds`);
    }
    return conversation;
  }
}
