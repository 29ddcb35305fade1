import { conversationRow } from './conversation-rows.ts';
import type { JobKind, JobPiece, JobStore, KeptJob, OpenJob } from './job-store.ts';
import { livingOwners, renewLease } from './owners.ts';
import { checkIds, type StoreParts } from './parts.ts';
import type { Patience } from './patient-database.ts';
import type { JobPieceRow } from './schema.ts';
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

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async begin(job: KeptJob): Promise<'begun' | 'duplicate'> {
    checkIds(job.id, job.conversationId, job.guildId, job.channelId, job.messageId, job.askedById);
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
    if (found?.owner_id !== lease.ownerId) return 'refused';
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
    return outcome.committed ? 'kept' : 'refused';
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
          .where('owner_id', '!=', lease.ownerId)
          .orderBy('begun_ms')
          .compile(),
      ],
      'patient',
    );
    if (rows.length === 0) return [];
    const living = await livingOwners(parts, isStart);
    const taken: OpenJob[] = [];
    for (const row of rows.filter(({ owner_id }) => !living.has(owner_id))) {
      const take = builder
        .updateTable('jobs')
        .set((job) => ({ owner_id: lease.ownerId, take_overs: job('take_overs', '+', 1) }))
        .where('id', '=', row.id)
        .where('owner_id', '=', row.owner_id)
        .compile();
      if (!(await database.write([{ query: take, mustChange: 1 }], 'patient')).committed) continue;
      const key = await keys.unwrap(row.conversation_id, row);
      taken.push({
        id: row.id,
        kind,
        conversationId: row.conversation_id,
        guildId: row.guild_id,
        channelId: row.channel_id,
        messageId: row.message_id,
        askedById: row.asked_by,
        atMs: row.begun_ms,
        takeOvers: row.take_overs + 1,
        parameters: unsealText(key, row.parameters, placeOf('parameters', row.id)),
      });
    }
    return taken;
  }

  async end(jobId: string): Promise<void> {
    checkIds(jobId);
    const { database, dialect, lease } = this.#parts;
    const query = dialect.builder
      .deleteFrom('jobs')
      .where('id', '=', jobId)
      .where('owner_id', '=', lease.ownerId)
      .compile();
    await database.write([{ query }], 'patient');
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
