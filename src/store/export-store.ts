import type { SqlStore } from './sql-store.ts';
import type { ExportRecord } from './turn-store.ts';

/** Conversations listed at once. */
const PAGE = 200;

/**
 * Everything that is kept and has ended, readable, conversation by conversation. What changes meanwhile may be in it or not.
 * What is under way is not in it: {@link countLeftOut}.
 */
export async function* exportStore(store: SqlStore): AsyncGenerator<ExportRecord, void, undefined> {
  const { database, dialect } = store.parts;
  const { builder } = dialect;
  const [optOuts, deletions, settings] = await database.read(
    [
      builder.selectFrom('opt_outs').selectAll().compile(),
      builder.selectFrom('guild_deletions').selectAll().compile(),
      builder.selectFrom('channel_settings').selectAll().orderBy('channel_id').compile(),
    ],
    'patient',
  );
  for (const row of optOuts) yield { type: 'opt-out', personId: row.person_id, sinceMs: row.since_ms };
  for (const row of deletions) yield { type: 'guild-deletion', guildId: row.guild_id, dueMs: row.due_ms };
  for (const { channel_id, guild_id, voice, answers } of settings) {
    const chosen = { voice: voice ?? undefined, answers: answers ?? undefined };
    yield { type: 'channel-settings', channelId: channel_id, guildId: guild_id, ...chosen };
  }
  for (let last = ''; ;) {
    const [page] = await database.read(
      [builder.selectFrom('conversations').select('id').where('id', '>', last).orderBy('id').limit(PAGE).compile()],
      'patient',
    );
    for (const { id } of page) yield* store.conversations.exportEnded(id);
    if (page.length < PAGE) return;
    last = page.at(-1)?.id ?? last;
  }
}

/** How many turns an export will have. */
export async function countTurns(store: SqlStore): Promise<number> {
  const { database, dialect } = store.parts;
  const query = dialect.builder
    .selectFrom('turns')
    .select((row) => row.fn.countAll<number>().as('turns'))
    .where('position', 'is not', null)
    .compile();
  const [rows] = await database.read([query], 'long');
  return rows[0]?.turns ?? 0;
}

/** What an export leaves out, because only a Parley that runs can finish it. */
export interface LeftOut {
  /** Turns that have not ended. */
  readonly openTurns: number;
  /** Long work that is under way. */
  readonly jobs: number;
  /** Turns that a crash cut off, of which people are still to be told. The turns themselves are exported. */
  readonly notices: number;
}

export async function countLeftOut(store: SqlStore): Promise<LeftOut> {
  const { database, dialect } = store.parts;
  const { builder } = dialect;
  const turns = builder.selectFrom('turns').select((row) => row.fn.countAll<number>().as('count'));
  const [open, owed, jobs] = await database.read(
    [
      turns.where('position', 'is', null).compile(),
      turns.where('position', 'is not', null).where('notice_due', '=', 1).compile(),
      builder
        .selectFrom('jobs')
        .select((row) => row.fn.countAll<number>().as('count'))
        .compile(),
    ],
    'long',
  );
  return { openTurns: open[0]?.count ?? 0, notices: owed[0]?.count ?? 0, jobs: jobs[0]?.count ?? 0 };
}
