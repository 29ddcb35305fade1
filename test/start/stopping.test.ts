import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { ParleyProcess } from '../support/parley-process.ts';
import { now, Room } from '../support/room.ts';
import { settingsFor } from '../support/scene.ts';

/** Orchestrators kill what is not gone by then. */
const STOP_WITHIN_MS = 10_000;

/** Breaks the process from inside when it is asked to. */
const FAULT = `--import=data:text/javascript,${encodeURIComponent(
  'process.on("SIGUSR2",()=>{throw new Error("a fault for the test")});' +
    'process.on("SIGWINCH",()=>{Promise.reject(new Error("a fault for the test"))})',
)}`;

let sandbox: Sandbox;
let client: SandboxClient;
let room: Room;

beforeAll(async () => {
  sandbox = await Sandbox.start();
  client = await SandboxClient.connect(sandbox.controlUrl);
});

beforeEach(async () => {
  const { id: guildId } = await client.createGuild({ name: 'Server' });
  room = new Room(client, (await client.world({})).bot.id, {
    guildId,
    text: await client.createChannel({ guildId, name: 'general', kind: 'text' }),
    voice: await client.createChannel({ guildId, name: 'Lounge', kind: 'voice' }),
    alice: await client.createPerson({ guildId, name: 'Alice' }),
    bob: await client.createPerson({ guildId, name: 'Bob' }),
  });
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

test.for(['SIGTERM', 'SIGINT'] as const)(
  '%s during a reply: it leaves, says so, and is gone in time',
  async (signal) => {
    await client.setModel({
      reply: 'This is a long answer. It goes on and on. It has not been said to its end.',
      speed: 4,
    });
    await using parley = await ParleyProcess.start(settingsFor(sandbox), sandbox);
    await parley.logs('ready');
    await room.call();
    const said = await room.say(room.alice, 'Hello there.');
    await room.botSpeaking(true, said.lastVoicePacketAtMs);
    const since = now();
    const exit = await parley.stop(signal);
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.tookMs).toBeLessThan(STOP_WITHIN_MS);
    await botLeft(since);
    await room.reads(english.call.gone.shutdown, since);
    await client.waitFor(({ type }) => type === 'bot-offline', { since });
    expect(parley.logged('stopped')).toHaveLength(1);
    expect(parley.errors).toBe('');
  },
);

test('a question that is being answered is still answered, even when it is told to stop', async () => {
  await client.setModel({ reply: 'Here I am.', firstAudioMs: 1500 });
  await using parley = await ParleyProcess.start(settingsFor(sandbox), sandbox);
  await parley.logs('ready');
  const since = now();
  const answer = room.ask(room.alice, 'ask', { prompt: 'Are you there?' });
  await room.request(since);
  expect(await parley.stop()).toMatchObject({ code: 0, signal: null });
  expect(await answer).toBe('Here I am.');
  await client.setModel({ firstAudioMs: 60 });
});

test('a command that takes long does not keep it from leaving its calls, and saying so, in time', async () => {
  await using parley = await ParleyProcess.start(settingsFor(sandbox), sandbox);
  await parley.logs('ready');
  await room.call();
  const { id: guildId } = await client.createGuild({ name: 'Elsewhere' });
  const text = await client.createChannel({ guildId, name: 'general', kind: 'text' });
  const voice = await client.createChannel({ guildId, name: 'Lounge', kind: 'voice' });
  const carol = await client.createPerson({ guildId, name: 'Carol' });
  await client.join({ personId: carol.id, channelId: voice.id });
  await client.gatewayFault({ kind: 'voice-server-update', mode: 'withhold', times: 20 });
  const since = now();
  await client.runCommand({ personId: carol.id, channelId: text.id, command: 'join', options: {} });
  await client.waitFor(
    (event) => event.type === 'voice-state' && event.channelId === voice.id && event.userId === room.botId,
    { since },
  );
  const exit = await parley.stop();
  await client.gatewayFault({ kind: 'voice-server-update', mode: 'withhold', times: 0 });
  expect(exit).toMatchObject({ code: 0, signal: null });
  expect(exit.tookMs).toBeLessThan(STOP_WITHIN_MS);
  await botLeft(since);
  await room.reads(english.call.gone.shutdown, since);
});

test('SIGTERM while it still waits for Discord: gone at once', async () => {
  await client.restFault({ route: 'GET /gateway/bot', times: 1, status: 200, delayMs: 20_000 });
  const since = now();
  await using parley = await ParleyProcess.start(settingsFor(sandbox), sandbox);
  await client.waitFor(({ type }) => type === 'model-ended', { since, timeoutMs: 25_000 });
  const exit = await parley.stop();
  expect(exit).toMatchObject({ code: 0, signal: null });
  expect(exit.tookMs).toBeLessThan(STOP_WITHIN_MS);
});

test.for([
  ['thrown', 'SIGUSR2'],
  ['rejected', 'SIGWINCH'],
] as const)(
  'a fault that nobody caught (%s): it leaves the call, says so in a sentence, and the log has it',
  async ([, signal]) => {
    await using parley = await ParleyProcess.start({ ...settingsFor(sandbox), NODE_OPTIONS: FAULT }, sandbox);
    await parley.logs('ready');
    await room.call();
    const since = now();
    expect(await parley.stop(signal)).toMatchObject({ code: 1, signal: null });
    await botLeft(since);
    expect(parley.errors.trim()).toBe('Parley stopped because of a fault of its own. The log says more.');
    expect(parley.logged('stopping after a fault')).toEqual([expect.stringContaining('a fault for the test')]);
    expect(parley.logged('stopped')).toHaveLength(1);
  },
);

// The last one: the sandbox's Discord answers nothing from then on.
test('SIGTERM while Discord answers nothing any more: gone in time all the same', async () => {
  await using parley = await ParleyProcess.start(settingsFor(sandbox), sandbox);
  await parley.logs('ready');
  await room.call();
  await client.restFault({ route: '^(POST|PATCH|DELETE) ', times: 20, status: 200, delayMs: 30_000 });
  const since = now();
  const exit = await parley.stop();
  expect(exit).toMatchObject({ code: 0, signal: null });
  expect(exit.tookMs).toBeLessThan(STOP_WITHIN_MS);
  await botLeft(since);
});

function botLeft(since: number) {
  return client.waitFor(
    (event) =>
      event.type === 'voice-state' &&
      event.guildId === room.guildId &&
      event.userId === room.botId &&
      event.channelId === null,
    { since },
  );
}
