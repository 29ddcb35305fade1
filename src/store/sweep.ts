import type { WriteStatement } from './database.ts';
import type { StoreParts } from './parts.ts';
import type { SweepLimits, Swept } from './turn-store.ts';

/** Rows deleted in one transaction: turns that begin meanwhile wait for no more than this. */
const PAGE = 500;

/** Deletes what is due: servers that were left, sound, turns and what hangs on them. */
export async function sweepStore(parts: StoreParts, limits: SweepLimits): Promise<Swept> {
  const { database, dialect, keys } = parts;
  const { builder } = dialect;
  const [due] = await database.read(
    [builder.selectFrom('guild_deletions').select('guild_id').where('due_ms', '<=', limits.nowMs).compile()],
    'patient',
  );
  let turns = 0;
  for (const { guild_id } of due) {
    // What was chosen goes with the server, not with what was said there.
    const settings = builder.deleteFrom('channel_settings').where('guild_id', '=', guild_id).compile();
    turns += await changed(parts, [...guildStatements(parts, guild_id), { query: settings }]);
  }

  const oldSpeech = builder
    .selectFrom('speech')
    .innerJoin('turns', 'turns.id', 'speech.turn_id')
    .select('speech.turn_id')
    .where('turns.ended_ms', '<', limits.speechBeforeMs)
    .limit(PAGE);
  const speeches = await inPages(parts, {
    query: builder.deleteFrom('speech').where('turn_id', 'in', oldSpeech).compile(),
  });
  for (const time of ['ended_ms', 'received_ms'] as const) turns += await inPages(parts, oldTurns(parts, time, limits));
  const rest = await database.write(
    [
      { query: builder.deleteFrom('jobs').where('begun_ms', '<', limits.speechBeforeMs).compile() },
      // A summary goes with the newest turn it covers.
      {
        query: builder
          .deleteFrom('summaries')
          .where((summary) =>
            summary.not(
              summary.exists(
                summary
                  .selectFrom('turns')
                  .select('turns.id')
                  .whereRef('turns.conversation_id', '=', 'summaries.conversation_id')
                  .whereRef('turns.position', '=', 'summaries.through_position'),
              ),
            ),
          )
          .compile(),
      },
      {
        query: builder
          .deleteFrom('conversations')
          .where('active_ms', '<', limits.turnsBeforeMs)
          .where((row) =>
            row.not(
              row.exists(
                row.selectFrom('turns').select('turns.id').whereRef('turns.conversation_id', '=', 'conversations.id'),
              ),
            ),
          )
          .where((row) =>
            row.not(
              row.exists(
                row.selectFrom('jobs').select('jobs.id').whereRef('jobs.conversation_id', '=', 'conversations.id'),
              ),
            ),
          )
          .compile(),
      },
    ],
    'long',
  );
  const hasRest = rest.committed && rest.changedRows.some((rows) => rows > 0);
  if (turns + speeches + due.length > 0 || hasRest) {
    keys.forget();
    await database.scrub();
  }
  return { turns, speeches, guilds: due.length };
}

/** Deletes everything of a server. */
export function guildStatements({ dialect }: Pick<StoreParts, 'dialect'>, guildId: string): WriteStatement[] {
  const { builder } = dialect;
  return [
    { query: builder.deleteFrom('turns').where('guild_id', '=', guildId).compile() },
    { query: builder.deleteFrom('conversations').where('guild_id', '=', guildId).compile() },
    { query: builder.deleteFrom('guild_deletions').where('guild_id', '=', guildId).compile() },
  ];
}

/** Turns that ended too long ago, or (`received_ms`) began too long ago and never ended. */
function oldTurns({ dialect }: StoreParts, time: 'ended_ms' | 'received_ms', limits: SweepLimits): WriteStatement {
  const { builder } = dialect;
  const old = builder
    .selectFrom('turns')
    .select('id')
    .where(time, '<', limits.turnsBeforeMs)
    .where('position', time === 'ended_ms' ? 'is not' : 'is', null)
    .limit(PAGE);
  return { query: builder.deleteFrom('turns').where('id', 'in', old).compile() };
}

/** Runs a statement that deletes no more than a page until it finds nothing. */
async function inPages(parts: StoreParts, statement: WriteStatement): Promise<number> {
  let total = 0;
  for (;;) {
    const count = await changed(parts, [statement]);
    total += count;
    if (count === 0) return total;
  }
}

/** Rows that the first statement changed. */
async function changed({ database }: StoreParts, statements: readonly WriteStatement[]): Promise<number> {
  const outcome = await database.write(statements, 'long');
  return outcome.committed ? (outcome.changedRows[0] ?? 0) : 0;
}
