import type { StoreLocation } from '../../../src/store/open-store.ts';
import { startWorld } from '../../bench/processes.ts';
import { open } from '../../store/support/stores.ts';
import { newestTurn } from '../../support/request-body.ts';
import { BotProcess, homeOf } from './bot-process.ts';

/** Channels in which people ask at the same time: within one, questions wait for each other. */
const LANES = 4;

/** Two bots as processes of their own are told of the same questions, as Discord tells every session of a bot. */
export async function askBothBots(
  location: StoreLocation & { kind: 'postgres' },
  events: number,
): Promise<{ answers: string[]; calls: number; kept: number }> {
  await using world = await startWorld();
  const { client } = world;
  await using _one = await BotProcess.start(world, location.url);
  await using _two = await BotProcess.start(world, location.url);
  const room = await homeOf(world);
  await client.setModel({ firstAudioMs: 0, speed: 100, reply: 'Yes.' });
  const channels = await Promise.all(
    Array.from({ length: LANES }, (_, lane) =>
      client.createChannel({ guildId: room.guildId, name: `lane-${lane}`, kind: 'text' }),
    ),
  );
  const answers: string[] = [];
  await Promise.all(
    channels.map(async ({ id }, lane) => {
      for (let event = lane; event < events; event += LANES) {
        const { state, messages } = await room.run(room.alice, 'ask', { prompt: `Number ${event}` }, id);
        if (state === 'answered') answers.push(...messages.map(({ content }) => content));
      }
    }),
  );
  const asked = (await client.modelRequests({}))
    .filter(({ endpoint }) => endpoint === 'chat')
    .map((request) => newestTurn(request).join(' '))
    // Not what sums the questions up.
    .filter((words) => /^Alice: Number \d+$/.test(words));
  await using store = await open(location);
  const records = await Promise.all(channels.map(({ id }) => Array.fromAsync(store.conversations.export(id))));
  const kept = records.flat().filter((record) => record.type === 'turn' && record.reply?.text === 'Yes.');
  return { answers: answers.filter((words) => words === 'Yes.'), calls: asked.length, kept: kept.length };
}
