import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as elapsed } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { StoreLocation } from '../../../src/store/open-store.ts';
import { KEY, open } from './stores.ts';

const TURN_MAKER = fileURLToPath(new URL('./turn-maker.ts', import.meta.url));
/** A process is killed at a random point after this many acknowledgements at most: two for each turn. */
const MAX_LIFE = 10;
/** So that the kill comes anywhere between two of them. */
const MAX_DELAY_MS = 5;

export interface KillCounts {
  readonly kills: number;
  readonly received: number;
  readonly ended: number;
  /** Acknowledged turns that are not there, or not as acknowledged. */
  readonly lost: number;
  /** Places in the conversation that are taken twice or by nobody. */
  readonly misplaced: number;
  readonly open: number;
  /** Turns closed as interrupted, and how many of them were handed out more than once. */
  readonly closed: number;
  readonly toldTwice: number;
}

/** Kills processes that hold turns, several at a time on one store, and counts what became of their turns. */
export async function killTurnMakers(location: StoreLocation, kills: number, lanes: number): Promise<KillCounts> {
  const received = new Set<string>();
  const ended = new Set<string>();
  const told: string[] = [];
  await using store = await open(location);
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let kill = lane; kill < kills; kill += lanes) {
        await killOne(location, `kill-${kill}`, received, ended);
        for (const { id } of await store.turns.takeOver()) told.push(id);
      }
    }),
  );
  for (const { id } of await store.turns.takeOver()) told.push(id);
  const records = await Array.fromAsync(store.conversations.export('channel-1'));
  const turns = records.filter((record) => record.type === 'turn');
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  const isKept = (id: string): boolean => byId.get(id)?.utterances[0]?.text === `said in ${id}`;
  const isDone = (id: string): boolean =>
    byId.get(id)?.state === 'done' && byId.get(id)?.reply?.text === `answered in ${id}`;
  const { builder } = store.parts.dialect;
  const [openTurns] = await store.parts.database.read(
    [builder.selectFrom('turns').select('id').where('position', 'is', null).compile()],
    'patient',
  );
  return {
    kills,
    received: received.size,
    ended: ended.size,
    lost: [...received].filter((id) => !isKept(id)).length + [...ended].filter((id) => !isDone(id)).length,
    misplaced: turns.filter((turn, index) => turn.position !== index + 1).length,
    open: openTurns.length,
    closed: turns.filter((turn) => turn.state === 'interrupted').length,
    toldTwice: told.length - new Set(told).size,
  };
}

async function killOne(
  location: StoreLocation,
  prefix: string,
  received: Set<string>,
  ended: Set<string>,
): Promise<void> {
  const child = spawn(process.execPath, [TURN_MAKER, JSON.stringify(location), KEY, prefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'parley-compile-cache') },
  });
  const exit = once(child, 'exit');
  const life = 1 + Math.floor(Math.random() * MAX_LIFE);
  let killing: Promise<void> | undefined;
  const kill = async (): Promise<void> => {
    await elapsed(Math.random() * MAX_DELAY_MS);
    child.kill('SIGKILL');
  };
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (++lines === life) killing = kill();
    const [what, id] = line.split(' ');
    if (id === undefined) continue;
    if (what === 'received') received.add(id);
    else ended.add(id);
  }
  await exit;
  await killing;
  if (!child.killed) throw new Error('a process ended before it was killed');
}
