import { checkIds, type StoreParts } from './parts.ts';
import type { WriteStatement } from './database.ts';
import { guildStatements, sweepStore } from './sweep.ts';
import type { Forgotten, Privacy, SweepLimits, Swept } from './turn-store.ts';

const OUTSIDE_OF_SERVERS = '@me';

/** Forgetting in the database. Deleting a conversation deletes its key, its turns, their utterances, sound and summary, and the work. */
export class SqlPrivacy implements Privacy {
  readonly #parts: StoreParts;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async optedOut(): Promise<ReadonlySet<string>> {
    const { database, dialect } = this.#parts;
    const [rows] = await database.read(
      [dialect.builder.selectFrom('opt_outs').select('person_id').compile()],
      'patient',
    );
    return new Set(rows.map((row) => row.person_id));
  }

  async setOptedOut(personId: string, optedOut: boolean, atMs: number): Promise<void> {
    checkIds(personId);
    const { database, dialect, keys } = this.#parts;
    const { builder } = dialect;
    if (!optedOut) {
      await database.write(
        [{ query: builder.deleteFrom('opt_outs').where('person_id', '=', personId).compile() }],
        'patient',
      );
      return;
    }
    const note = builder
      .insertInto('opt_outs')
      .values({ person_id: personId, since_ms: Math.round(atMs) })
      .onConflict((conflict) => conflict.doNothing());
    const sound = builder
      .deleteFrom('speech')
      .where((speech) =>
        speech.exists(
          speech
            .selectFrom('utterances')
            .select('utterances.turn_id')
            .whereRef('utterances.turn_id', '=', 'speech.turn_id')
            .whereRef('utterances.ordinal', '=', 'speech.ordinal')
            .where('utterances.speaker_id', '=', personId),
        ),
      );
    await database.write([{ query: note.compile() }, { query: sound.compile() }], 'patient');
    keys.forget();
    // Also when there was none just now: what was deleted a moment ago may still be in the files.
    await database.scrub();
  }

  async forgetConversation(conversationId: string): Promise<Forgotten> {
    checkIds(conversationId);
    const { builder } = this.#parts.dialect;
    return this.#forget([
      { query: builder.deleteFrom('turns').where('conversation_id', '=', conversationId).compile() },
      { query: builder.deleteFrom('conversations').where('id', '=', conversationId).compile() },
    ]);
  }

  async forgetGuild(guildId: string): Promise<Forgotten> {
    checkIds(guildId);
    return this.#forget(guildStatements(this.#parts, guildId));
  }

  async forgetPerson(personId: string, guildId: string | undefined): Promise<Forgotten> {
    checkIds(personId, guildId ?? OUTSIDE_OF_SERVERS);
    const { builder } = this.#parts.dialect;
    const theirTurns = this.#of(personId, guildId, 'utterances').select('turn_id');
    // Wherever they ever took part: a summary may hold what they said in turns that are deleted already.
    const theirConversations = this.#of(personId, guildId, 'participants').select('conversation_id');
    // A turn in which only they spoke goes whole. So does one that is still open: its reply is yet to come and would be kept.
    const whole = builder
      .deleteFrom('turns')
      .where('id', 'in', theirTurns)
      .where((turn) =>
        turn.or([
          turn('position', 'is', null),
          turn.not(
            turn.exists(
              turn
                .selectFrom('utterances')
                .select('ordinal')
                .whereRef('utterances.turn_id', '=', 'turns.id')
                .where('speaker_id', '!=', personId),
            ),
          ),
        ]),
      );
    const replies = builder
      .updateTable('turns')
      .set({ reply: null, audio_id: null, audio_expires_ms: null })
      .where('id', 'in', theirTurns);
    const words = builder
      .deleteFrom('utterances')
      .where('speaker_id', '=', personId)
      .where('turn_id', 'in', theirTurns);
    const summaries = builder.deleteFrom('summaries').where('conversation_id', 'in', theirConversations);
    // A summary that is being made from their words right now is refused.
    const revisions = builder
      .updateTable('conversations')
      .set((row) => ({ revision: row('revision', '+', 1) }))
      .where('id', 'in', theirConversations);
    const participants = builder
      .deleteFrom('participants')
      .where('speaker_id', '=', personId)
      .where('conversation_id', 'in', theirConversations);
    const jobs = builder
      .deleteFrom('jobs')
      .where('asked_by', '=', personId)
      .$if(guildId !== undefined, (query) => query.where('guild_id', '=', guildId ?? ''));
    return this.#forget(
      [
        { query: revisions.compile() },
        { query: summaries.compile() },
        { query: whole.compile() },
        { query: replies.compile() },
        { query: words.compile() },
        { query: participants.compile() },
        { query: jobs.compile() },
      ],
      [2, 3],
    );
  }

  async guilds(): Promise<readonly string[]> {
    const { database, dialect } = this.#parts;
    const query = dialect.builder.selectFrom('conversations').select('guild_id').distinct().compile();
    const [rows] = await database.read([query], 'patient');
    return rows.map((row) => row.guild_id).filter((id) => id !== OUTSIDE_OF_SERVERS);
  }

  async scheduleGuildDeletion(guildId: string, dueAtMs: number): Promise<void> {
    checkIds(guildId);
    const query = this.#parts.dialect.builder
      .insertInto('guild_deletions')
      .values({ guild_id: guildId, due_ms: Math.round(dueAtMs) })
      .onConflict((conflict) => conflict.column('guild_id').doNothing())
      .compile();
    await this.#parts.database.write([{ query }], 'patient');
  }

  async cancelGuildDeletion(guildId: string): Promise<void> {
    checkIds(guildId);
    const query = this.#parts.dialect.builder.deleteFrom('guild_deletions').where('guild_id', '=', guildId).compile();
    await this.#parts.database.write([{ query }], 'patient');
  }

  sweep(limits: SweepLimits): Promise<Swept> {
    return sweepStore(this.#parts, limits);
  }

  #of(personId: string, guildId: string | undefined, table: 'utterances' | 'participants') {
    return this.#parts.dialect.builder
      .selectFrom(table)
      .where('speaker_id', '=', personId)
      .$if(guildId !== undefined, (query) => query.where('guild_id', '=', guildId ?? ''));
  }

  /** `counted` are the statements whose changes are turns; the first by default. */
  async #forget(statements: readonly WriteStatement[], counted: readonly number[] = [0]): Promise<Forgotten> {
    const { database, keys } = this.#parts;
    const outcome = await database.write(statements, 'long');
    keys.forget();
    await database.scrub();
    const turns = outcome.committed ? counted.reduce((sum, index) => sum + (outcome.changedRows[index] ?? 0), 0) : 0;
    return { turns };
  }
}
