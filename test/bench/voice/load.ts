import { setTimeout as elapsed } from 'node:timers/promises';

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
const DEADLINE_MS = 60_000;

/** What a process costs while one thing goes on. */
interface Cost {
  readonly cpuMsPerSecond: number;
  readonly rssMb: number;
}

/** What a bot costs in as many channels: alone, idle, listening, speaking, and both at once. */
export async function measureLoad(candidate: Candidate, channels: number): Promise<Result> {
  await using stage = await Stage.set(candidate, channels);
  const { client, bot, rooms } = stage;
  await client.setModel({ reply: REPLY });
  const speech = await spokenFor(client, SETTLE_MS + LOOK_MS + SETTLE_MS);
  const quiet = murmur(SETTLE_MS + LOOK_MS + SETTLE_MS);
  const everyone = (wav: string): Promise<unknown> =>
    Promise.all(rooms.map(({ personId }) => client.speak({ personId, wav })));

  await elapsed(SETTLE_MS);
  const alone = await look(bot);
  await stage.fill();
  await elapsed(SETTLE_MS);
  const idle = await look(bot);

  const talking = everyone(speech);
  await elapsed(SETTLE_MS);
  const listening = await look(bot);
  await talking;
  await Promise.all(rooms.map((room) => speaks(stage, room.guildId)));
  await elapsed(SETTLE_MS);
  const speaking = await look(bot);

  const murmuring = everyone(quiet);
  await elapsed(SETTLE_MS);
  stage.world.watchLoop();
  bot.watchLoop();
  const duplex = await look(bot);
  const [worldLoop, botLoop] = await Promise.all([stage.world.loopDelay(), bot.loopDelay()]);
  await murmuring;
  const packets = await Promise.all(rooms.map((room) => packetsOf(stage, room, 0)));

  const each = ({ cpuMsPerSecond }: Cost): number => (cpuMsPerSecond - alone.cpuMsPerSecond) / channels;
  const memory = ({ rssMb }: Cost): number => (rssMb - alone.rssMb) / channels;
  return {
    series: { deviationMs: packets.flatMap(playoutDeviations) },
    values: {
      aloneMs: alone.cpuMsPerSecond,
      idleMs: each(idle),
      listeningMs: each(listening),
      speakingMs: each(speaking),
      duplexMs: each(duplex),
      aloneMb: alone.rssMb,
      idleMb: memory(idle),
      activeMb: memory(duplex),
      worldLoopP99Ms: worldLoop.p99,
      botLoopP50Ms: botLoop.p50,
      botLoopP99Ms: botLoop.p99,
    },
  };
}

async function look(process: MeasuredProcess): Promise<Cost> {
  const [fromMs, fromCpuMs] = [performance.now(), await process.cpuMs()];
  const memory: number[] = [];
  while (performance.now() - fromMs < LOOK_MS) {
    await elapsed(MEMORY_EVERY_MS);
    memory.push(await process.rssMb());
  }
  const seconds = (performance.now() - fromMs) / 1000;
  return { cpuMsPerSecond: ((await process.cpuMs()) - fromCpuMs) / seconds, rssMb: percentile(memory, 50) };
}

async function speaks({ client }: Stage, guildId: string): Promise<void> {
  await client.waitFor((event) => event.type === 'bot-speaking' && event.speaking && event.guildId === guildId, {
    timeoutMs: DEADLINE_MS,
  });
}
