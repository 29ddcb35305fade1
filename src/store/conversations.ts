import type { CompiledQuery } from 'kysely';

import { describeConversation } from './description.ts';
import { checkIds, type StoreParts } from './parts.ts';
import type { ConversationRow, SummaryRow } from './schema.ts';
import { summaryColumns, toSummary } from './summary-rows.ts';
import { toTurns, turnQueries } from './turn-rows.ts';
import type {
  ConversationDescription,
  Conversations,
  ExportRecord,
  Past,
  SummaryRecord,
  TurnRecord,
} from './turn-store.ts';

/** Turns read at once for an export. */
const PAGE = 100;
/** No conversation has as many. */
const NO_REVISION = 'none';

/** Conversations in the database: every query names the conversation it is about. */
export class SqlConversations implements Conversations {
  readonly #parts: StoreParts;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async load(conversationId: string, limit: number): Promise<Past> {
    checkIds(conversationId);
    const { database, dialect, keys } = this.#parts;
    const { builder } = dialect;
    const [conversations, summaries, turns, utterances] = await database.read(
      [
        this.#row(conversationId),
        this.#summary(conversationId),
        ...turnQueries(
          dialect,
          conversationId,
          (turn) =>
            turn(
              'position',
              '>',
              turn.fn.coalesce(
                builder
                  .selectFrom('summaries')
                  .select('through_position')
                  .where('conversation_id', '=', conversationId),
                turn.lit(0),
              ),
            ),
          'newest-first',
          limit,
        ),
      ],
      'quick',
    );
    const conversation = conversations[0];
    if (!conversation) return { summary: undefined, turns: [], revision: NO_REVISION };
    const key = await keys.unwrap(conversationId, conversation);
    return {
      summary: summaries[0] && toSummary(summaries[0], key),
      turns: (
        await toTurns(turns, utterances, key, (sealed, place) => keys.opened.open(key, sealed, place))
      ).toReversed(),
      revision: revisionOf(conversation),
    };
  }

  async putSummary(conversationId: string, summary: SummaryRecord, revision: string): Promise<'changed' | 'refused'> {
    checkIds(conversationId);
    const { database, dialect, keys } = this.#parts;
    const { builder } = dialect;
    const [rows] = await database.read([this.#row(conversationId)], 'patient');
    const conversation = rows[0];
    if (!conversation || revisionOf(conversation) !== revision) return 'refused';
    const key = await keys.unwrap(conversationId, conversation);
    const columns = summaryColumns(conversationId, summary, key);
    const unchanged = builder
      .updateTable('conversations')
      .set({ revision: conversation.revision })
      .where('id', '=', conversationId)
      .where('key_id', '=', conversation.key_id)
      .where('revision', '=', conversation.revision)
      .compile();
    const put = builder
      .insertInto('summaries')
      .values({ conversation_id: conversationId, guild_id: conversation.guild_id, ...columns })
      .onConflict((conflict) =>
        conflict
          .column('conversation_id')
          .doUpdateSet(columns)
          .where('summaries.through_position', '<=', summary.throughPosition),
      )
      .compile();
    const outcome = await database.write(
      [
        { query: unchanged, mustChange: 1 },
        { query: put, mustChange: 1 },
      ],
      'patient',
    );
    return outcome.committed ? 'changed' : 'refused';
  }

  async keepSpeechOfNewest(conversationId: string, turns: number): Promise<void> {
    checkIds(conversationId);
    const { database, dialect } = this.#parts;
    const query = dialect.builder
      .deleteFrom('speech')
      .where('conversation_id', '=', conversationId)
      .where((speech) =>
        speech.exists(
          speech
            .selectFrom('turns')
            .innerJoin('conversations', 'conversations.id', 'turns.conversation_id')
            .select('turns.id')
            .whereRef('turns.id', '=', 'speech.turn_id')
            .where((turn) => turn('turns.position', '<=', turn('conversations.ended_turns', '-', turns))),
        ),
      )
      .compile();
    await database.write([{ query }], 'patient');
  }

  describe(conversationId: string): Promise<ConversationDescription> {
    checkIds(conversationId);
    return describeConversation(this.#parts, conversationId);
  }

  export(conversationId: string): AsyncGenerator<ExportRecord, void, undefined> {
    return this.#export(conversationId, true);
  }

  /** As {@link export}, but without the turns that are open: they are to be what they will have become, or not at all. */
  exportEnded(conversationId: string): AsyncGenerator<ExportRecord, void, undefined> {
    return this.#export(conversationId, false);
  }

  async *#export(conversationId: string, hasOpen: boolean): AsyncGenerator<ExportRecord, void, undefined> {
    checkIds(conversationId);
    const { database, dialect, keys } = this.#parts;
    const participants = dialect.builder
      .selectFrom('participants')
      .select('speaker_id')
      .where('conversation_id', '=', conversationId)
      .compile();
    const [rows, summaries, people] = await database.read(
      [this.#row(conversationId), this.#summary(conversationId), participants],
      'patient',
    );
    const conversation = rows[0];
    if (!conversation) return;
    const key = await keys.unwrap(conversationId, conversation);
    yield {
      type: 'conversation',
      id: conversationId,
      guildId: conversation.guild_id,
      // Databases differ in how they order texts.
      participants: people.map((row) => row.speaker_id).toSorted(),
    };
    let position = 0;
    for (;;) {
      const page = await this.#endedAfter(conversation, position, key);
      for (const turn of page) yield { type: 'turn', ...turn };
      position = page.at(-1)?.position ?? position;
      if (page.length < PAGE) break;
    }
    const open = hasOpen ? await this.#open(conversation, key) : [];
    for (const turn of open) yield { type: 'turn', ...turn, position: ++position };
    if (summaries[0]) yield { type: 'summary', conversationId, ...toSummary(summaries[0], key) };
  }

  #endedAfter(conversation: ConversationRow, position: number, key: Uint8Array): Promise<TurnRecord[]> {
    const { dialect } = this.#parts;
    const queries = turnQueries(
      dialect,
      conversation.id,
      (turn) => turn('position', '>', position),
      'oldest-first',
      PAGE,
    );
    return this.#turns(queries, key);
  }

  #open(conversation: ConversationRow, key: Uint8Array): Promise<TurnRecord[]> {
    const { dialect } = this.#parts;
    const queries = turnQueries(dialect, conversation.id, (turn) => turn('position', 'is', null), 'oldest-first', PAGE);
    return this.#turns(queries, key);
  }

  async #turns(queries: ReturnType<typeof turnQueries>, key: Uint8Array): Promise<TurnRecord[]> {
    const [turns, utterances] = await this.#parts.database.read(queries, 'patient');
    return toTurns(turns, utterances, key);
  }

  #row(conversationId: string): CompiledQuery<ConversationRow> {
    return this.#parts.dialect.builder
      .selectFrom('conversations')
      .selectAll()
      .where('id', '=', conversationId)
      .compile();
  }

  #summary(conversationId: string): CompiledQuery<SummaryRow> {
    return this.#parts.dialect.builder
      .selectFrom('summaries')
      .selectAll()
      .where('conversation_id', '=', conversationId)
      .compile();
  }
}

/** Another after the conversation was forgotten, and after somebody's words were taken out of it. */
function revisionOf(conversation: Pick<ConversationRow, 'key_id' | 'revision'>): string {
  return `${conversation.key_id} ${conversation.revision}`;
}
