import { setTimeout as elapsed } from 'node:timers/promises';

import { FRAME_MS } from '../../../src/audio/frame.ts';
import type { ModelRequestRecord } from '../../../src/sandbox/control/protocol.ts';
import { seededRandom } from '../../../src/sandbox/voice/random.ts';
import type { Candidate } from './candidate.ts';
import { loggedTurns, packetsOf, requestsByRoom } from './observed.ts';
import type { Result } from './result.ts';
import { spokenFor } from './sounds.ts';
import { Stage, type Room } from './stage.ts';

/** Long enough to be a turn of its own, which is answered in its turn and interrupted again. */
const SPEECH_MS = 1000;
/** The model still sends it when it is interrupted. */
const REPLY =
  'Once upon a time there was a king who had three daughters, and each of them wanted to see the sea. ' +
  'So they went down to the harbour, early in the morning, and asked every captain for a ship that was going far away.';
/** Where in the reply people interrupt it. */
const [MIN_HEARD_MS, MAX_HEARD_MS] = [700, 1600];
const DEADLINE_MS = 30_000;
const MAX_FAILED = 3;
const SEED = 7;

/** An interruption as the wire has it. */
interface Interruption {
  /** The first packet over the reply left for the bot. */
  readonly spokenAtMs: number;
  /** The last packet of the reply came. */
  readonly stoppedAtMs: number;
  /** The last of the silence frames came that follow a reply which is called off. */
  readonly calledOffAtMs: number;
  readonly heardFrames: number;
}

/** People who speak over each reply: how soon it stops, what the bot thinks they heard, when the model is let go. */
export async function measureBargeIn(
  candidate: Candidate,
  { channels, turns: turnsInAll }: { channels: number; turns: number },
): Promise<Result> {
  await using stage = await Stage.set(candidate, channels);
  const { client, rooms } = stage;
  await client.setModel({ reply: REPLY });
  await stage.fill();
  const speech = await spokenFor(client, SPEECH_MS);
  const turns = Math.max(1, Math.ceil(turnsInAll / channels));

  stage.world.watchLoop();
  stage.bot.watchLoop();
  const talks = await Promise.all(
    rooms.map((room, index) => interrupt(stage, room, { speech, turns, seed: SEED + index })),
  );
  const [world, bot] = await Promise.all([stage.world.loopDelay(), stage.bot.loopDelay()]);
  const requests = await requestsByRoom(stage, 0);

  const series: Record<string, number[]> = { stopMs: [], truncationMs: [], closeMs: [] };
  let failed = 0;
  for (const [index, room] of rooms.entries()) {
    const logged = loggedTurns(stage, room).filter(({ interrupted }) => interrupted);
    for (const [number, interruption] of (talks[index] ?? []).entries()) {
      if (number === 0) continue;
      if (!interruption) {
        failed++;
        continue;
      }
      const { spokenAtMs, stoppedAtMs, calledOffAtMs, heardFrames } = interruption;
      series['stopMs']?.push(stoppedAtMs - spokenAtMs);
      const closedAtMs = closingOf(requests.get(room) ?? [], spokenAtMs);
      if (closedAtMs !== undefined) series['closeMs']?.push(Math.max(0, closedAtMs - calledOffAtMs));
      const claimed = logged[number];
      if (claimed) series['truncationMs']?.push(Math.abs(claimed.playedMs - heardFrames * FRAME_MS));
    }
  }
  return { series, values: { failed, worldLoopP99Ms: world.p99, botLoopP99Ms: bot.p99 } };
}

async function interrupt(
  stage: Stage,
  room: Room,
  { speech, turns, seed }: { speech: string; turns: number; seed: number },
): Promise<(Interruption | undefined)[]> {
  const { client } = stage;
  const { guildId, personId } = room;
  const random = seededRandom(seed);
  const seen: (Interruption | undefined)[] = [];
  let failed = 0;
  let { firstPacketAtMs, lastVoicePacketAtMs } = await client.speak({ personId, wav: speech });
  while (seen.length <= turns && failed < MAX_FAILED) {
    try {
      const began = await client.waitFor(
        (event) => event.type === 'bot-speaking' && event.speaking && event.guildId === guildId,
        { since: lastVoicePacketAtMs, timeoutMs: DEADLINE_MS },
      );
      await elapsed(MIN_HEARD_MS + random() * (MAX_HEARD_MS - MIN_HEARD_MS));
      ({ firstPacketAtMs, lastVoicePacketAtMs } = await client.speak({ personId, wav: speech }));
      await client.waitFor((event) => event.type === 'bot-speaking' && !event.speaking && event.guildId === guildId, {
        since: began.atMs,
        timeoutMs: DEADLINE_MS,
      });
      const packets = await packetsOf(stage, room, began.atMs);
      const sound = packets.filter(({ silence }) => !silence);
      seen.push({
        spokenAtMs: firstPacketAtMs,
        stoppedAtMs: sound.at(-1)?.atMs ?? Number.NaN,
        calledOffAtMs: packets.at(-1)?.atMs ?? Number.NaN,
        heardFrames: sound.length,
      });
    } catch {
      failed++;
      seen.push(undefined);
      ({ firstPacketAtMs, lastVoicePacketAtMs } = await client.speak({ personId, wav: speech }));
    }
  }
  while (seen.length <= turns) seen.push(undefined);
  return seen;
}

/** When the connection was closed on which the reply came that was interrupted then; nothing if it was complete by then. */
function closingOf(requests: readonly ModelRequestRecord[], interruptedAtMs: number): number | undefined {
  const request = requests.findLast(
    ({ firstAudioAtMs }) => firstAudioAtMs !== undefined && firstAudioAtMs < interruptedAtMs,
  );
  return request?.abandoned ? request.endedAtMs : undefined;
}
