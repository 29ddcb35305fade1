import { randomUUID } from 'node:crypto';

import type { KeyedConversation } from './conversation-keys.ts';
import { conversationRow } from './conversation-rows.ts';
import type { WriteStatement } from './database.ts';
import { renewLease } from './owners.ts';
import { checkIds, type StoreParts } from './parts.ts';
import type { ConversationRow } from './schema.ts';
import { StoreError } from './store-error.ts';
import { takeOverTurns } from './take-over.ts';
import { endingColumns, openingColumns, transcriptColumn, utteranceStatements } from './turn-rows.ts';
import type { AbandonedTurn, BeginningTurn, Ending, IncomingTurn, Turns } from './turn-store.ts';

/** How often a batch may find that somebody forgot the conversation in the middle of it. */
const MAX_TRIES = 10;

const COMES_FROM: Readonly<Record<'asked' | 'speaking', readonly string[]>> = {
  asked: ['received'],
  speaking: ['received', 'asked'],
};

/** Turns in the database. Each change is one transaction that names what it expects to find. */
export class SqlTurns implements Turns {
  readonly #parts: StoreParts;
  /** Turns of this process whose people are to hear something: of a crash that cut them off, or their answer. */
  readonly #telling = new Set<string>();
  #hasTakenOver = false;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async receive(turn: BeginningTurn, state: 'received' | 'asked' = 'received'): Promise<'received' | 'duplicate'> {
    checkTurn(turn);
    await renewLease(this.#parts);
    return (await this.#insert(turn, state)) ? 'received' : 'duplicate';
  }

  async advance(turnId: string, state: 'asked' | 'speaking'): Promise<'changed' | 'refused'> {
    checkIds(turnId);
    const { database, dialect, lease } = this.#parts;
    const query = dialect.builder
      .updateTable('turns')
      .set({ state })
      .where('id', '=', turnId)
      .where('owner_id', '=', lease.ownerId)
      .where('position', 'is', null)
      // The state itself, too: the answer to this very change may have been lost.
      .where('state', 'in', [...COMES_FROM[state], state])
      .compile();
    return (await database.write([{ query, mustChange: 1 }], 'quick')).committed ? 'changed' : 'refused';
  }

  finish(turnId: string, ending: Ending): Promise<'changed' | 'refused'> {
    checkIds(turnId);
    if (ending.isUnseen === true) this.#telling.add(turnId);
    return this.#finish(turnId, ending);
  }

  async record(turn: IncomingTurn, ending: Ending): Promise<'changed' | 'refused'> {
    checkTurn(turn);
    if (ending.isUnseen === true) this.#telling.add(turn.id);
    return (await this.#insert(turn, ending)) ? 'changed' : this.#finish(turn.id, ending);
  }

  async discard(turnId: string): Promise<'changed' | 'refused'> {
    checkIds(turnId);
    const { database, dialect, lease } = this.#parts;
    const query = dialect.builder
      .deleteFrom('turns')
      .where('id', '=', turnId)
      .where('owner_id', '=', lease.ownerId)
      .where('position', 'is', null)
      .compile();
    return (await database.write([{ query, mustChange: 1 }], 'patient')).committed ? 'changed' : 'refused';
  }

  async open(): Promise<readonly string[]> {
    const { database, dialect, lease } = this.#parts;
    const query = dialect.builder
      .selectFrom('turns')
      .select('id')
      .where('owner_id', '=', lease.ownerId)
      .where('position', 'is', null)
      .compile();
    const [rows] = await database.read([query], 'patient');
    return rows.map(({ id }) => id);
  }

  async addTranscript(turnId: string, ordinal: number, transcript: string): Promise<'changed' | 'refused'> {
    checkIds(turnId);
    const { database, dialect } = this.#parts;
    const key = (await this.#keyOf(turnId))?.key;
    if (!key) return 'refused';
    const query = dialect.builder
      .updateTable('utterances')
      .set({ transcript: transcriptColumn(key, transcript, turnId, ordinal) })
      .where('turn_id', '=', turnId)
      .where('ordinal', '=', ordinal)
      .compile();
    return (await database.write([{ query, mustChange: 1 }], 'patient')).committed ? 'changed' : 'refused';
  }

  async takeOver(): Promise<readonly AbandonedTurn[]> {
    await renewLease(this.#parts);
    const turns = await takeOverTurns(this.#parts, !this.#hasTakenOver, this.#telling);
    this.#hasTakenOver = true;
    const untold = turns.filter(({ id }) => !this.#telling.has(id));
    for (const { id } of untold) this.#telling.add(id);
    return untold;
  }

  async noticeSent(turnId: string): Promise<void> {
    checkIds(turnId);
    const { database, dialect } = this.#parts;
    const query = dialect.builder.updateTable('turns').set({ notice_due: 0 }).where('id', '=', turnId).compile();
    await database.write([{ query }], 'patient');
    this.#telling.delete(turnId);
  }

  noticeFailed(turnId: string): void {
    this.#telling.delete(turnId);
  }

  /** Keeps a turn as one that has begun, or with its end. `false`: one with this id is there. */
  async #insert(turn: BeginningTurn, as: 'received' | 'asked' | Ending): Promise<boolean> {
    const { database, dialect, keys, lease } = this.#parts;
    const { builder } = dialect;
    const ending = typeof as === 'string' ? undefined : as;
    const receipt = randomUUID();
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const conversation = await this.#conversation(turn);
      if (!conversation) continue;
      const key = await keys.unwrap(turn.conversationId, conversation);
      const columns = {
        ...openingColumns(turn, lease.ownerId, receipt),
        ...(typeof as === 'string' ? { state: as } : endingColumns(turn.id, as, key)),
      };
      const insert = builder
        .insertInto('turns')
        .values((values) => ({
          ...columns,
          position: ending
            ? values.selectFrom('conversations').select('ended_turns').where('id', '=', turn.conversationId)
            : null,
        }))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .compile();
      const outcome = await database.write(
        [
          touch(this.#parts, conversation, turn.atMs, ending ? 1 : 0),
          { query: insert, mustChange: 1 },
          ...utteranceStatements(dialect, turn, key),
        ],
        'quick',
      );
      if (outcome.committed) return true;
      keys.drop(turn.conversationId);
      const [rows] = await database.read(
        [builder.selectFrom('turns').select('receipt').where('id', '=', turn.id).compile()],
        'quick',
      );
      // Our own receipt: it was kept at a try whose answer was lost.
      if (rows[0]) return rows[0].receipt === receipt;
    }
    throw new StoreError('internal', 'a conversation was forgotten again and again while a turn was kept');
  }

  async #finish(turnId: string, ending: Ending): Promise<'changed' | 'refused'> {
    const { database, dialect, lease } = this.#parts;
    const found = await this.#keyOf(turnId);
    if (found?.owner_id !== lease.ownerId) return 'refused';
    const isSame = found.state === ending.state && found.ended_ms === Math.round(ending.atMs);
    if (found.position !== null) return isSame ? 'changed' : 'refused';
    const query = dialect.builder
      .updateTable('turns')
      .set((turns) => ({
        ...endingColumns(turnId, ending, found.key),
        position: turns.selectFrom('conversations').select('ended_turns').where('id', '=', found.id),
      }))
      .where('id', '=', turnId)
      .where('owner_id', '=', lease.ownerId)
      .where('position', 'is', null)
      .compile();
    const outcome = await database.write(
      [touch(this.#parts, found, ending.atMs, 1), { query, mustChange: 1 }],
      'patient',
    );
    if (outcome.committed) return 'changed';
    const now = await this.#keyOf(turnId);
    const isDone =
      now?.owner_id === lease.ownerId && now.state === ending.state && now.ended_ms === Math.round(ending.atMs);
    return isDone ? 'changed' : 'refused';
  }

  /** A turn with its conversation's key; `undefined` when it is not there. */
  async #keyOf(turnId: string) {
    const { database, dialect, keys } = this.#parts;
    const query = dialect.builder
      .selectFrom('turns')
      .innerJoin('conversations', 'conversations.id', 'turns.conversation_id')
      .selectAll('conversations')
      .select(['turns.owner_id', 'turns.state', 'turns.ended_ms', 'turns.position'])
      .where('turns.id', '=', turnId)
      .compile();
    const [rows] = await database.read([query], 'patient');
    const row = rows[0];
    return row && { ...row, key: await keys.unwrap(row.id, row) };
  }

  /**
   * The conversation, which is made when it is not there. It may have gone since it was last read, so whatever is written
   * for it makes sure of that. `undefined` when it went while it was made.
   */
  async #conversation(turn: IncomingTurn): Promise<KeyedConversation | undefined> {
    const { keys } = this.#parts;
    const known = keys.find(turn.conversationId);
    if (known?.guild_id === turn.guildId) return known;
    const row = await conversationRow(this.#parts, turn, 'quick');
    if (row) keys.note(row);
    return row;
  }
}

/**
 * Counts a turn that ends, and holds the conversation's row until the end of the transaction: those who end turns of one
 * conversation take turns, and it cannot be forgotten in between. Unmet when it has been, and was begun anew or not.
 */
function touch(
  { dialect }: Pick<StoreParts, 'dialect'>,
  conversation: Pick<ConversationRow, 'id' | 'key_id'>,
  atMs: number,
  ended: 0 | 1,
): WriteStatement {
  const query = dialect.builder
    .updateTable('conversations')
    .set((row) => ({ active_ms: Math.round(atMs), ended_turns: row('ended_turns', '+', ended) }))
    .where('id', '=', conversation.id)
    .where('key_id', '=', conversation.key_id)
    .compile();
  return { query, mustChange: 1 };
}

function checkTurn(turn: BeginningTurn): void {
  checkIds(
    turn.id,
    turn.conversationId,
    turn.guildId,
    turn.shownIn ?? turn.conversationId,
    ...turn.utterances.map((utterance) => utterance.speakerId),
  );
}
