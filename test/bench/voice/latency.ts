import { setTimeout as elapsed } from 'node:timers/promises';

import type { HeardPacket, ModelRequestRecord } from '../../../src/sandbox/control/protocol.ts';
import { seededRandom } from '../../../src/sandbox/voice/random.ts';
import type { Candidate } from './candidate.ts';
import { isAudible, loggedTurns, packetsOf, playoutDeviations, requestsByRoom, type LoggedTurn } from './observed.ts';
import type { Result } from './result.ts';
import { spokenFor } from './sounds.ts';
import { MODEL_MS, Stage, type Room } from './stage.ts';

const SPEECH_MS = 600;
/** How long a client's voice gate stays open after the voice, in the scenarios that look at bots as they are shipped. */
export const HANGOVER_MS = 200;
const REPLY = 'Yes, of course.';
/** A turn that takes longer was not answered. */
const ANSWER_MS = 30_000;
/** Of a room that answers no more nothing can be learned. */
const MAX_UNANSWERED = 3;
/** People in several rooms do not speak in step. */
const MAX_PAUSE_MS = 800;
const SEED = 5;

interface Turn {
  /** When the last packet with voice in it left for the bot. */
  readonly spokenAtMs: number;
  readonly reply: readonly HeardPacket[];
}

export interface LatencyOptions {
  readonly channels: number;
  /** In all channels together. */
  readonly turns: number;
  /** What a client sends on after the voice. Without any, the last packet is the last of the voice. */
  readonly hangoverMs: number;
}

/** Turns of people who wait for the answer to each: how long they wait, and how evenly they are answered. */
export async function measureLatency(candidate: Candidate, options: LatencyOptions): Promise<Result> {
  const { channels, hangoverMs } = options;
  await using stage = await Stage.set(candidate, channels);
  const { client, rooms } = stage;
  await client.setModel({ reply: REPLY });
  await stage.fill();
  const speech = await spokenFor(client, SPEECH_MS, hangoverMs);
  const turns = Math.max(1, Math.ceil(options.turns / channels));
  const pauseMs = channels === 1 ? 0 : MAX_PAUSE_MS;

  stage.world.watchLoop();
  stage.bot.watchLoop();
  const talks = await Promise.all(
    rooms.map((room, index) => talk(stage, room, { speech, hangoverMs, turns, pauseMs, seed: SEED + index })),
  );
  const [world, bot] = await Promise.all([stage.world.loopDelay(), stage.bot.loopDelay()]);
  const requests = await requestsByRoom(stage, 0);

  const series: Record<string, number[]> = { waitMs: [], addedMs: [], holdMs: [], modelLateMs: [], deviationMs: [] };
  let unanswered = 0;
  for (const [index, room] of rooms.entries()) {
    const answers = { requests: requests.get(room) ?? requests.get(undefined) ?? [], log: loggedTurns(stage, room) };
    for (const [number, turn] of (talks[index] ?? []).entries()) {
      // The first turn warms connections and code up, in all candidates.
      if (number === 0) continue;
      const figures = turn && figuresOf(turn, candidate, { ...answers, logged: answers.log[number] });
      if (!figures) unanswered++;
      else for (const [name, values] of Object.entries(figures)) series[name]?.push(...values);
    }
  }
  return { series, values: { unanswered, worldLoopP99Ms: world.p99, botLoopP99Ms: bot.p99, botLoopMaxMs: bot.max } };
}

/** `undefined` for a turn that was not answered. */
async function talk(
  stage: Stage,
  room: Room,
  {
    speech,
    hangoverMs,
    turns,
    pauseMs,
    seed,
  }: { speech: string; hangoverMs: number; turns: number; pauseMs: number; seed: number },
): Promise<(Turn | undefined)[]> {
  const { client } = stage;
  const { guildId, personId } = room;
  const random = seededRandom(seed);
  const said: (Turn | undefined)[] = [];
  let unanswered = 0;
  while (said.length <= turns && unanswered < MAX_UNANSWERED) {
    await elapsed(random() * pauseMs);
    const { lastVoicePacketAtMs } = await client.speak({ personId, wav: speech });
    try {
      const began = await client.waitFor(
        (event) => event.type === 'bot-speaking' && event.speaking && event.guildId === guildId,
        { since: lastVoicePacketAtMs, timeoutMs: ANSWER_MS },
      );
      await client.waitFor((event) => event.type === 'bot-speaking' && !event.speaking && event.guildId === guildId, {
        since: began.atMs,
        timeoutMs: ANSWER_MS,
      });
      said.push({
        spokenAtMs: lastVoicePacketAtMs - hangoverMs,
        reply: await packetsOf(stage, room, lastVoicePacketAtMs),
      });
    } catch {
      unanswered++;
      said.push(undefined);
    }
  }
  while (said.length <= turns) said.push(undefined);
  return said;
}

function figuresOf(
  { spokenAtMs, reply }: Turn,
  candidate: Candidate,
  { requests, logged }: { requests: readonly ModelRequestRecord[]; logged: LoggedTurn | undefined },
): Record<string, number[]> | undefined {
  const audible = reply.find(isAudible);
  if (!audible) return undefined;
  const waitMs = audible.atMs - spokenAtMs;
  // The newest one whose sound had begun by then: what was asked for in vain before ended without any.
  const request = requests.findLast(
    ({ firstAudioAtMs }) => firstAudioAtMs !== undefined && firstAudioAtMs <= audible.atMs,
  );
  const modelMs = request?.firstAudioAtMs === undefined ? MODEL_MS : request.firstAudioAtMs - request.atMs;
  const { silenceMs, speculatesAfterMs } = candidate;
  const holdMs = logged?.endOfTurnMs ?? silenceMs;
  const wasAskedBefore = speculatesAfterMs !== undefined && logged?.speculation === 'hit';
  const unavoidableMs = wasAskedBefore ? Math.max(holdMs, speculatesAfterMs + modelMs) : holdMs + modelMs;
  return {
    waitMs: [waitMs],
    addedMs: [waitMs - unavoidableMs],
    holdMs: [holdMs],
    modelLateMs: [modelMs - MODEL_MS],
    deviationMs: playoutDeviations(reply),
  };
}
