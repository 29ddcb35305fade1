import { sql } from 'kysely';

import type { StoreParts } from './parts.ts';
import { isSurelyDead } from './process-identity.ts';

/** Which processes that use the store live, by their ids. */
export async function livingOwners(
  { database, dialect, lease }: StoreParts,
  isStart: boolean,
): Promise<ReadonlySet<string>> {
  const { builder, nowMs } = dialect;
  const [owners, clock] = await database.read(
    [
      builder.selectFrom('owners').selectAll().compile(),
      sql<{ now_ms: number }>`select ${nowMs} as now_ms`.compile(builder),
    ],
    'patient',
  );
  const mayJudge = lease.mayJudge(isStart);
  const now = clock[0]?.now_ms ?? 0;
  const living = owners.filter((owner) => !isSurelyDead(owner) && (owner.expires_ms > now || !mayJudge));
  return new Set([lease.ownerId, ...living.map((owner) => owner.id)]);
}

/** A process that was stopped for a while must not begin what others are about to take from it. */
export async function renewLease({ database, dialect, lease }: StoreParts): Promise<void> {
  if (lease.isFresh) return;
  const sentAtMs = lease.nowMs;
  await database.write([{ query: lease.beat(dialect) }], 'quick');
  lease.beaten(sentAtMs);
}
