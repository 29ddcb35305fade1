import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { startWorld, type World } from '../bench/processes.ts';
import { DIALECTS, KEY, open, startDatabases, type Dialect, type TestDatabases } from '../store/support/stores.ts';
import { messagesOf } from '../support/request-body.ts';
import type { Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { incoming, T0 } from '../store/support/turns.ts';
import { english } from '../../src/language/english.ts';
import type { ModelRequestRecord, SandboxEvent } from '../../src/sandbox/control/protocol.ts';
import { monotonicClock, type Clock } from '../../src/time/clock.ts';
import { BotProcess, homeOf } from './support/bot-process.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

async function urlOf(dialect: Dialect): Promise<string> {
  const location = await databases.fresh(dialect);
  return location.kind === 'sqlite' ? `sqlite:${location.file}` : location.url;
}

/** The first request for an answer after `since`, as soon as the model has it. */
async function asked({ client }: World, since: number): Promise<ModelRequestRecord> {
  const { requestId } = await client.waitFor(
    (event): event is Extract<SandboxEvent, { type: 'model-request' }> =>
      event.type === 'model-request' && event.endpoint === 'chat',
    { since, timeoutMs: 20_000 },
  );
  const found = (await client.modelRequests({})).find(({ id }) => id === requestId);
  if (!found) throw new Error('the model keeps no record of a request');
  return found;
}

/** Asks in writing in the voice channel, whose conversation speech and writing share. */
async function write(world: World, room: Room, prompt: string): Promise<ModelRequestRecord> {
  const { interactionId } = await world.client.runCommand({
    personId: room.alice.id,
    channelId: room.voice.id,
    command: 'ask',
    options: { prompt },
  });
  const { createdAtMs, state } = await room.answered(interactionId);
  expect(state).toBe('answered');
  return asked(world, createdAtMs);
}

/** How often people were told of a crash: where the call's words are written, and where it speaks. */
async function timesTold({ client }: Pick<World, 'client'>, room: Room): Promise<{ text: number; voice: number }> {
  const times = async (channelId: string): Promise<number> =>
    (await client.messages({ channelId })).filter(({ content }) => content === english.memory.cutOff).length;
  return { text: await times(room.text.id), voice: await times(room.voice.id) };
}

/** A request as words: sound as `(sound)`, an earlier reply that goes by its id as `(reply)`. */
function wordsOf(request: ModelRequestRecord): string[] {
  return messagesOf(request).map(({ role, parts, audioId }) => {
    const words = parts.map((part) => (typeof part === 'number' ? '(sound)' : part)).join(' ');
    return `${role}: ${audioId === undefined ? words : '(reply)'}`;
  });
}

test('an answer that is kept and that nobody has seen when its process is killed is told of once', async () => {
  const url = await urlOf('sqlite');
  await using world = await startWorld();
  await using bots = new AsyncDisposableStack();
  const { client } = world;
  const room = await homeOf(world);
  const killed = bots.use(await BotProcess.start(world, url));
  await client.restFault({ route: 'PATCH /webhooks/.*', times: 1, status: 200, delayMs: 60_000 });
  const asking = { personId: room.alice.id, channelId: room.text.id, command: 'ask', options: { prompt: 'Well?' } };
  await client.runCommand(asking);
  await using store = await open({ kind: 'sqlite', file: url.replace('sqlite:', '') });
  await expect
    .poll(async () => (await store.conversations.load(room.text.id, 1)).turns.map(({ state }) => state), {
      timeout: 15_000,
    })
    .toEqual(['done']);
  await killed.kill();
  const next = bots.use(await BotProcess.start(world, url));
  await expect.poll(() => timesTold(world, room), { timeout: 15_000 }).toEqual({ text: 1, voice: 0 });
  await write(world, room, 'And this?');
  await next.kill();
  bots.use(await BotProcess.start(world, url));
  await write(world, room, 'Another.');
  expect(await timesTold(world, room)).toEqual({ text: 1, voice: 0 });
});

test.each(DIALECTS)(
  'five turns by voice and text on %s, killed between and in the middle of them: the next request has what was acknowledged',
  { timeout: 120_000 },
  async (dialect) => {
    const url = await urlOf(dialect);
    await using world = await startWorld();
    await using bots = new AsyncDisposableStack();
    const start = async (): Promise<BotProcess> => bots.use(await BotProcess.start(world, url));
    const { client } = world;
    const room = await homeOf(world);
    await client.setModel({ firstAudioMs: 60, chunkMs: 100, speed: 8, reply: 'Good evening.' });

    const first = await start();
    expect(wordsOf(await write(world, room, 'The first.'))).toEqual(['user: Alice: The first.']);
    await room.call();
    const second = await room.turn('Hello there.');
    expect(wordsOf(second.reply.request)).toEqual([
      'user: Alice: The first.',
      'assistant: Good evening.',
      'user: Alice: (sound)',
    ]);
    // Written down in the background, once the reply has begun.
    await client.waitFor((event) => event.type === 'model-request' && event.endpoint === 'transcription', {
      since: second.said.lastVoicePacketAtMs,
    });
    await first.kill();

    const afterBetween = await start();
    expect(await timesTold(world, room), 'nothing was cut off').toEqual({ text: 0, voice: 0 });
    await room.call();
    await client.setModel({ firstAudioMs: 60, speed: 2, reply: 'A long answer that will not be heard to its end.' });
    const third = await room.say(room.alice, 'Where were we?');
    const speaking = await room.botSpeaking(true, third.lastVoicePacketAtMs);
    expect(wordsOf(await asked(world, third.lastVoicePacketAtMs))).toEqual([
      'user: Alice: The first.',
      'assistant: Good evening.',
      'user: Alice: (sound)',
      'assistant: (reply)',
      'user: Alice: (sound)',
    ]);
    await afterBetween.kill();

    const afterSpeaking = await start();
    // In the channel to which the call was summoned, not in the one it spoke in.
    await expect.poll(() => timesTold(world, room), { timeout: 15_000 }).toEqual({ text: 1, voice: 0 });
    const asking = (await client.modelRequests({ sinceMs: speaking.atMs })).filter(
      ({ endpoint }) => endpoint === 'chat',
    );
    expect(asking.map(wordsOf), 'no call is repeated: this is the check at the start').toEqual([['user: Say hello.']]);
    await client.setModel({ firstAudioMs: 3000, reply: 'Never heard.' });
    const { interactionId } = await client.runCommand({
      personId: room.alice.id,
      channelId: room.voice.id,
      command: 'ask',
      options: { prompt: 'The fourth.' },
    });
    await asked(world, (await client.interaction({ interactionId })).createdAtMs);
    await afterSpeaking.kill();

    await start();
    await expect.poll(() => timesTold(world, room), { timeout: 15_000 }).toEqual({ text: 1, voice: 1 });
    await client.setModel({ firstAudioMs: 60, reply: 'Here I am.' });
    expect(wordsOf(await write(world, room, 'The fifth.'))).toEqual([
      'user: Alice: The first.',
      'assistant: Good evening.',
      'user: Alice: Hello there.',
      'assistant: (reply)',
      // Acknowledged and cut off. Its words had been written down while it was answered, or else its sound is still kept.
      expect.stringMatching(/^user: Alice: (Where were we\?|\(sound\))$/),
      'user: Alice: The fourth.',
      'user: Alice: The fifth.',
    ]);
  },
);

/** On which what is done every quarter of a minute is done five times a second. */
const quickPasses: Clock = {
  nowMs: () => monotonicClock.nowMs(),
  after: (delayMs, run) => monotonicClock.after(delayMs === 15_000 ? 200 : delayMs, run),
};

test('people are told of a crash once Discord takes it, and a channel that is gone is told nothing', async () => {
  const location = await databases.fresh('sqlite');
  if (location.kind !== 'sqlite') throw new TypeError('not a file');
  await mkdir(dirname(location.file), { recursive: true });
  await using scene = await Scene.start({
    env: { DATABASE_URL: location.file, STORE_KEYS: KEY },
    clock: quickPasses,
  });
  const { client, home } = scene;
  const owed = async (): Promise<readonly unknown[]> => {
    await using other = await open(location);
    const query = other.parts.dialect.builder.selectFrom('turns').select('id').where('notice_due', '=', 1).compile();
    const [rows] = await other.parts.database.read([query], 'patient');
    return rows;
  };
  const posts = async (): Promise<number> =>
    (await client.restRequests({})).filter(({ method, path }) => method === 'POST' && path.endsWith('/messages'))
      .length;
  // A request, and the three in which the library tries it again.
  await client.restFault({ route: 'POST /channels/\\d+/messages', times: 4, status: 500 });
  {
    await using other = await open(location);
    const where = { guildId: home.guildId, conversationId: home.text.id };
    await other.turns.receive(incoming('gone', { ...where, conversationId: `${home.text.id}0` }));
    await other.turns.receive(incoming('left', { ...where, atMs: T0 + 1 }));
    await other.turns.receive(incoming('left-too', { ...where, atMs: T0 + 2 }));
  }
  await expect.poll(() => timesTold(scene, home), { timeout: 15_000 }).toEqual({ text: 1, voice: 0 });
  await expect.poll(owed).toEqual([]);
  expect(await posts()).toBe(5);
});
