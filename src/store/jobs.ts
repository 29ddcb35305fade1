import { conversationRow } from './conversation-rows.ts';
import type { JobKind, JobPiece, JobStore, KeptJob, OpenJob } from './job-store.ts';
import { livingOwners, renewLease } from './owners.ts';
import { checkIds, type StoreParts } from './parts.ts';
import type { Patience } from './patient-database.ts';
import type { JobPieceRow, JobRow } from './schema.ts';
import { seal, sealText, unseal, unsealText } from './seal.ts';
import { StoreError } from './store-error.ts';

/** How often a conversation may be forgotten in the moment in which work in it begins. */
const MAX_TRIES = 10;
/** Pieces read at once: with sound they may be large. */
const PAGE = 20;

/** Long work in the database. */
export class SqlJobs implements JobStore {
  readonly #parts: StoreParts;
  readonly #takenOver = new Set<JobKind>();
  /** Ids of what this process does: of what else is its own nobody has been told. */
  readonly #running = new Set<string>();
  /** Ids of what has ended, or goes on without being kept, for as long as a row of it may be there. */
  readonly #over = new Set<string>();

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async begin(job: KeptJob): Promise<'begun' | 'duplicate'> {
    checkIds(job.id, job.conversationId, job.guildId, job.channelId, job.messageId, job.askedById);
    // Before its row can be there.
    this.#running.add(job.id);
    try {
      const outcome = await this.#insert(job);
      if (outcome === 'duplicate') this.#running.delete(job.id);
      return outcome;
    } catch (error) {
      this.#over.add(job.id);
      throw error;
    }
  }

  async #insert(job: KeptJob): Promise<'begun' | 'duplicate'> {
    const { database, dialect, keys, lease } = this.#parts;
    const { builder } = dialect;
    await renewLease(this.#parts);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const conversation = await conversationRow(this.#parts, job, 'quick');
      if (!conversation) continue;
      const key = await keys.unwrap(job.conversationId, conversation);
      // Holds the conversation, so that it is not forgotten in between.
      const touch = builder
        .updateTable('conversations')
        .set({ active_ms: Math.round(job.atMs) })
        .where('id', '=', conversation.id)
        .where('key_id', '=', conversation.key_id)
        .compile();
      const insert = builder
        .insertInto('jobs')
        .values({
          id: job.id,
          conversation_id: job.conversationId,
          guild_id: job.guildId,
          kind: job.kind,
          owner_id: lease.ownerId,
          channel_id: job.channelId,
          message_id: job.messageId,
          asked_by: job.askedById,
          begun_ms: Math.round(job.atMs),
          take_overs: 0,
          parameters: sealText(key, job.parameters, placeOf('parameters', job.id)),
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .compile();
      const outcome = await database.write(
        [
          { query: touch, mustChange: 1 },
          { query: insert, mustChange: 1 },
        ],
        'quick',
      );
      if (outcome.committed) return 'begun';
      const [rows] = await database.read(
        [builder.selectFrom('jobs').select('owner_id').where('id', '=', job.id).compile()],
        'quick',
      );
      // Our own: it was kept at a try whose answer was lost.
      if (rows[0]) return rows[0].owner_id === lease.ownerId ? 'begun' : 'duplicate';
    }
    throw new StoreError('internal', 'a conversation was forgotten again and again while work in it began');
  }

  async keepPiece(jobId: string, { index, json, data }: JobPiece): Promise<'kept' | 'refused'> {
    checkIds(jobId);
    const { database, dialect, lease } = this.#parts;
    const { builder } = dialect;
    const found = await this.#keyOf(jobId, 'quick');
    if (found?.owner_id !== lease.ownerId) return this.#lost(jobId);
    const row: JobPieceRow = {
      job_id: jobId,
      ordinal: index,
      facts: sealText(found.key, json, placeOf('facts', jobId, index)),
      sound: data ? seal(found.key, data, placeOf('sound', jobId, index)) : null,
    };
    const mine = builder
      .updateTable('jobs')
      .set({ take_overs: 0 })
      .where('id', '=', jobId)
      .where('owner_id', '=', lease.ownerId)
      .compile();
    const insert = builder
      .insertInto('job_pieces')
      .values(row)
      .onConflict((conflict) => conflict.columns(['job_id', 'ordinal']).doNothing())
      .compile();
    const outcome = await database.write([{ query: mine, mustChange: 1 }, { query: insert }], 'quick');
    return outcome.committed ? 'kept' : this.#lost(jobId);
  }

  #lost(jobId: string): 'refused' {
    this.#running.delete(jobId);
    return 'refused';
  }

  async *pieces(jobId: string, fromIndex = 0): AsyncGenerator<JobPiece, void, undefined> {
    checkIds(jobId);
    const { database, dialect } = this.#parts;
    const key = (await this.#keyOf(jobId, 'patient'))?.key;
    if (!key) return;
    for (let from = fromIndex; ;) {
      const query = dialect.builder
        .selectFrom('job_pieces')
        .selectAll()
        .where('job_id', '=', jobId)
        .where('ordinal', '>=', from)
        .orderBy('ordinal')
        .limit(PAGE)
        .compile();
      const [rows] = await database.read([query], 'patient');
      for (const { ordinal: index, facts, sound } of rows) {
        yield {
          index,
          json: unsealText(key, facts, placeOf('facts', jobId, index)),
          data: sound ? unseal(key, sound, placeOf('sound', jobId, index)) : undefined,
        };
      }
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) return;
      from = last.ordinal + 1;
    }
  }

  async moveMessage(jobId: string, messageId: string): Promise<void> {
    checkIds(jobId, messageId);
    const { database, dialect, lease } = this.#parts;
    const query = dialect.builder
      .updateTable('jobs')
      .set({ message_id: messageId })
      .where('id', '=', jobId)
      .where('owner_id', '=', lease.ownerId)
      .compile();
    await database.write([{ query }], 'patient');
  }

  async takeOver(kind: JobKind): Promise<readonly OpenJob[]> {
    const parts = this.#parts;
    const { database, dialect, keys, lease } = parts;
    const { builder } = dialect;
    await renewLease(parts);
    for (const id of this.#over) await this.end(id);
    const isStart = !this.#takenOver.has(kind);
    this.#takenOver.add(kind);
    // Before their owners, which are there before their first work is.
    const [rows] = await database.read(
      [
        builder
          .selectFrom('jobs')
          .innerJoin('conversations', 'conversations.id', 'jobs.conversation_id')
          .select(['key_id', 'wrapped_key', 'master_key_id'])
          .selectAll('jobs')
          .where('kind', '=', kind)
          .orderBy('begun_ms')
          .compile(),
      ],
      'patient',
    );
    const others = rows.some(({ owner_id }) => owner_id !== lease.ownerId);
    const living = others ? await livingOwners(parts, isStart) : new Set<string>();
    // Our own: it was taken at a try whose answer was lost, or which went wrong after it.
    const isLeft = ({ id, owner_id }: JobRow): boolean =>
      owner_id === lease.ownerId ? !this.#running.has(id) : !living.has(owner_id);
    const taken: OpenJob[] = [];
    let unreadable: unknown;
    for (const row of rows.filter(isLeft)) {
      const isOwn = row.owner_id === lease.ownerId;
      let job: OpenJob;
      try {
        const key = await keys.unwrap(row.conversation_id, row);
        job = {
          id: row.id,
          kind,
          conversationId: row.conversation_id,
          guildId: row.guild_id,
          channelId: row.channel_id,
          messageId: row.message_id,
          askedById: row.asked_by,
          atMs: row.begun_ms,
          takeOvers: row.take_overs + (isOwn ? 0 : 1),
          parameters: unsealText(key, row.parameters, placeOf('parameters', row.id)),
        };
      } catch (error) {
        // Nobody can go on with it, which is no reason to leave the others.
        unreadable = error;
        continue;
      }
      const take = builder
        .updateTable('jobs')
        .set({ owner_id: lease.ownerId, take_overs: job.takeOvers })
        .where('id', '=', row.id)
        .where('owner_id', '=', row.owner_id)
        .compile();
      if (!(await database.write([{ query: take, mustChange: 1 }], 'patient')).committed) continue;
      // It may have been ours before another process took it from us.
      if (!isOwn) this.#running.delete(row.id);
      taken.push(job);
    }
    const left = taken.filter(({ id }) => !this.#running.has(id));
    for (const { id } of left) this.#running.add(id);
    if (left.length === 0 && unreadable !== undefined) throw unreadable;
    return left;
  }

  async end(jobId: string): Promise<void> {
    checkIds(jobId);
    this.#over.add(jobId);
    const { database, dialect, lease } = this.#parts;
    const query = dialect.builder
      .deleteFrom('jobs')
      .where('id', '=', jobId)
      .where('owner_id', '=', lease.ownerId)
      .compile();
    await database.write([{ query }], 'patient');
    this.#over.delete(jobId);
    this.#running.delete(jobId);
  }

  /** Who does it, and its conversation's key; `undefined` when it is not there. */
  async #keyOf(jobId: string, patience: Patience) {
    const { database, dialect, keys } = this.#parts;
    const query = dialect.builder
      .selectFrom('jobs')
      .innerJoin('conversations', 'conversations.id', 'jobs.conversation_id')
      .selectAll('conversations')
      .select('jobs.owner_id')
      .where('jobs.id', '=', jobId)
      .compile();
    const [rows] = await database.read([query], patience);
    const row = rows[0];
    return row && { owner_id: row.owner_id, key: await keys.unwrap(row.id, row) };
  }
}

function placeOf(column: string, jobId: string, index?: number): string {
  return index === undefined ? `jobs.${column} ${jobId}` : `job_pieces.${column} ${jobId} ${index}`;
}
