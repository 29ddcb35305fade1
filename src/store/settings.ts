import { checkIds, type StoreParts } from './parts.ts';
import type { ChosenSettings, SettingsStore } from './settings-store.ts';

/** What was chosen for channels, in the database. */
export class SqlSettings implements SettingsStore {
  readonly #parts: StoreParts;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async load(channelId: string): Promise<ChosenSettings | undefined> {
    const { database, dialect } = this.#parts;
    const query = dialect.builder.selectFrom('channel_settings').selectAll().where('channel_id', '=', channelId);
    const [rows] = await database.read([query.compile()], 'quick');
    const row = rows[0];
    return row && { voice: row.voice ?? undefined, answers: row.answers ?? undefined };
  }

  async put(channelId: string, guildId: string, { voice, answers }: ChosenSettings): Promise<void> {
    checkIds(channelId, guildId);
    const { database, dialect } = this.#parts;
    const row = { channel_id: channelId, guild_id: guildId, voice: voice ?? null, answers: answers ?? null };
    const changes = { guild_id: guildId, ...(voice && { voice }), ...(answers && { answers }) };
    const query = dialect.builder
      .insertInto('channel_settings')
      .values(row)
      .onConflict((conflict) => conflict.column('channel_id').doUpdateSet(changes));
    await database.write([{ query: query.compile() }], 'quick');
  }

  async remove(channelId: string): Promise<void> {
    const { database, dialect } = this.#parts;
    const query = dialect.builder.deleteFrom('channel_settings').where('channel_id', '=', channelId).compile();
    await database.write([{ query }], 'patient');
  }
}
