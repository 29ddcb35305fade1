import { sql } from 'kysely';

import type { WriteStatement } from './database.ts';
import { livingOwners } from './owners.ts';
import type { StoreParts } from './parts.ts';
import type { AbandonedTurn } from './turn-store.ts';

/**
 * Closes the turns of dead processes and takes the notices that they still owed. Any number of processes may do this at
 * once: each turn is closed by the one whose change finds it still the dead process's. What this process has taken already
 * is among them, too, unless it is in `telling`: a take may succeed and its answer get lost.
 */
export async function takeOverTurns(
  parts: StoreParts,
  isStart: boolean,
  telling: ReadonlySet<string>,
): Promise<AbandonedTurn[]> {
  const { database, dialect, lease } = parts;
  const { builder, nowMs } = dialect;
  // Before their owners, which are there before their first turn is.
  const [turns] = await database.read(
    [
      builder
        .selectFrom('turns')
        .select(['id', 'conversation_id', 'guild_id', 'received_ms', 'ended_ms', 'owner_id', 'position', 'shown_in'])
        .where((row) =>
          row.or([
            row('notice_due', '=', 1),
            row.and([row('position', 'is', null), row('owner_id', '!=', lease.ownerId)]),
          ]),
        )
        .orderBy('received_ms')
        .compile(),
    ],
    'patient',
  );
  const alive = await livingOwners(parts, isStart);
  const taken: AbandonedTurn[] = [];
  const left = turns.filter(({ id, owner_id }) =>
    owner_id === lease.ownerId ? !telling.has(id) : !alive.has(owner_id),
  );
  for (const turn of left) {
    const isOpen = turn.position === null;
    const count: WriteStatement = {
      query: builder
        .updateTable('conversations')
        .set((row) => ({ ended_turns: row('ended_turns', '+', 1) }))
        .where('id', '=', turn.conversation_id)
        .compile(),
      mustChange: 1,
    };
    const take = builder
      .updateTable('turns')
      .set({ owner_id: lease.ownerId, notice_due: 1 })
      .where('id', '=', turn.id)
      .where('owner_id', '=', turn.owner_id);
    const close = take
      .set((row) => ({
        state: 'interrupted',
        ended_ms: nowMs,
        position: row.selectFrom('conversations').select('ended_turns').where('id', '=', turn.conversation_id),
      }))
      .where('position', 'is', null);
    const outcome = await database.write(
      isOpen
        ? [count, { query: close.compile(), mustChange: 1 }]
        : [{ query: take.where('notice_due', '=', 1).compile(), mustChange: 1 }],
      'patient',
    );
    if (!outcome.committed) continue;
    taken.push({
      id: turn.id,
      conversationId: turn.conversation_id,
      shownIn: turn.shown_in ?? turn.conversation_id,
      guildId: turn.guild_id,
      receivedAtMs: turn.received_ms,
      closedAtMs: turn.ended_ms ?? Date.now(),
    });
  }
  await forgetOwners(parts);
  return taken;
}

/** Owners that ran out long ago and have nothing left. */
async function forgetOwners({ database, dialect }: StoreParts): Promise<void> {
  const { builder, nowMs } = dialect;
  const query = builder
    .deleteFrom('owners')
    .where('expires_ms', '<', sql<number>`${nowMs} - 3600000`)
    .where((owner) =>
      owner.not(
        owner.exists(
          owner
            .selectFrom('turns')
            .select('turns.id')
            .whereRef('turns.owner_id', '=', 'owners.id')
            .where((turn) => turn.or([turn('turns.position', 'is', null), turn('turns.notice_due', '=', 1)])),
        ),
      ),
    )
    .compile();
  await database.write([{ query }], 'patient');
}
