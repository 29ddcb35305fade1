import { setTimeout as elapsed } from 'node:timers/promises';

import type { SpokenReport } from '../../../src/sandbox/control/protocol.ts';
import type { Candidate } from './candidate.ts';
import type { MeasuredProcess } from './measured-process.ts';
import { packetsOf, playoutDeviations } from './observed.ts';
import { percentile, type Result } from './result.ts';
import { murmur, spokenFor } from './sounds.ts';
import { Stage } from './stage.ts';

/** How long each state is looked at, and how long it has to settle before. */
const LOOK_MS = 6000;
const SETTLE_MS = 1500;
const MEMORY_EVERY_MS = 500;
/** Some thirty seconds of speech, said by the model: longer than what is looked at while it is spoken. */
const REPLY =
  'This is a long story, and it is told slowly, so that everyone who listens can follow each word of it. '.repeat(6);
const DEADLINE_MS = 15_000;
const MAX_MISSED_SHARE = 0.1;

/** A process that has started goes on for a while with what it put off. Below this it is quiet. */
const QUIET_MS_PER_SECOND = 15;
const QUIET_LOOKS = 15;

/** Lets everyone say the same; resolves when it is said. */
type Everyone = (wav: string) => Promise<SpokenReport[]>;

/** What a process costs while one thing goes on. */
interface Cost {
  readonly cpuMsPerSecond: number;
  readonly rssMb: number;
}

/** What a bot costs in as many channels: alone, idle, listening, speaking, and both at once. */
export async function measureLoad(candidate: Candidate, channels: number): Promise<Result> {
  await using stage = await Stage.set(candidate, channels);
  const { client, bot, rooms } = stage;
  const speech = await spokenFor(client, SETTLE_MS + LOOK_MS + SETTLE_MS);
  const quiet = murmur(SETTLE_MS + LOOK_MS + SETTLE_MS);
  const everyone: Everyone = (wav) => Promise.all(rooms.map(({ personId }) => client.speak({ personId, wav })));

  await quietened(bot, 1);
  const alone = await look(bot);
  await stage.fill();
  await quietened(bot, channels);
  const idle = await look(bot);

  await warmUp(stage, everyone);
  const talking = everyone(speech);
  await elapsed(SETTLE_MS);
  const listening = await look(bot);
  const beganAtMs = Math.min(...(await talking).map(({ lastVoicePacketAtMs }) => lastVoicePacketAtMs));
  await saying(stage, true, beganAtMs);
  await elapsed(SETTLE_MS);
  const speaking = await look(bot);

  const murmuring = everyone(quiet);
  await elapsed(SETTLE_MS);
  stage.world.watchLoop();
  bot.watchLoop();
  const duplex = await look(bot);
  const [worldLoop, botLoop] = await Promise.all([stage.world.loopDelay(), bot.loopDelay()]);
  await murmuring;
  const packets = await Promise.all(rooms.map((room) => packetsOf(stage, room, beganAtMs)));

  const each = ({ cpuMsPerSecond }: Cost): number => (cpuMsPerSecond - alone.cpuMsPerSecond) / channels;
  return {
    series: { deviationMs: packets.flatMap(playoutDeviations) },
    values: {
      aloneMs: alone.cpuMsPerSecond,
      idleMs: each(idle),
      listeningMs: each(listening),
      speakingMs: each(speaking),
      duplexMs: each(duplex),
      aloneMb: alone.rssMb,
      idleMb: idle.rssMb,
      activeMb: duplex.rssMb,
      worldLoopP99Ms: worldLoop.p99,
      botLoopP50Ms: botLoop.p50,
      botLoopP99Ms: botLoop.p99,
    },
  };
}

/** Waits until starting and joining are over, also in the background. */
async function quietened(process: MeasuredProcess, channels: number): Promise<void> {
  for (let times = 0; times < QUIET_LOOKS; times++) {
    const { cpuMsPerSecond } = await look(process, SETTLE_MS);
    if (cpuMsPerSecond < QUIET_MS_PER_SECOND + channels) return;
  }
}

async function look(process: MeasuredProcess, forMs = LOOK_MS): Promise<Cost> {
  const [fromMs, fromCpuMs] = [performance.now(), await process.cpuMs()];
  const memory: number[] = [];
  while (performance.now() - fromMs < forMs) {
    await elapsed(MEMORY_EVERY_MS);
    memory.push(await process.rssMb());
  }
  const seconds = (performance.now() - fromMs) / 1000;
  return { cpuMsPerSecond: ((await process.cpuMs()) - fromCpuMs) / seconds, rssMb: percentile(memory, 50) };
}

/** A short turn in every room: what is made and compiled at the first one is not what a channel goes on to cost. */
async function warmUp(stage: Stage, everyone: Everyone): Promise<void> {
  const { client } = stage;
  await client.setModel({ reply: 'Yes.' });
  const reports = await everyone(await spokenFor(client, SETTLE_MS));
  const saidAtMs = Math.min(...reports.map(({ lastVoicePacketAtMs }) => lastVoicePacketAtMs));
  await saying(stage, true, saidAtMs);
  await saying(stage, false, saidAtMs);
  await client.setModel({ reply: REPLY });
}

/** Waits until the bot has begun to speak, or has finished, in every room but a few that it may have missed. */
async function saying({ client, rooms }: Stage, speaking: boolean, since: number): Promise<void> {
  const waiting = rooms.map(({ guildId }) =>
    client.waitFor(
      (event) => event.type === 'bot-speaking' && event.speaking === speaking && event.guildId === guildId,
      { since, timeoutMs: DEADLINE_MS },
    ),
  );
  const missed = (await Promise.allSettled(waiting)).filter(({ status }) => status === 'rejected').length;
  if (missed > rooms.length * MAX_MISSED_SHARE)
    throw new SilentRoomsError(`${missed} of ${rooms.length} rooms are not answered`);
}

/** So few are answered that what the others cost says nothing. */
class SilentRoomsError extends Error {
  override readonly name = 'SilentRoomsError';
}
