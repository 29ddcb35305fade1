import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import type { GuildTextBasedChannel } from 'discord.js';

import type { CallPhase } from '../../src/conversation/ports.ts';
import { CallPanel, type PanelFacts } from '../../src/discord/call-panel.ts';
import { ChannelWriter } from '../../src/discord/channel-writer.ts';
import { createClient, signIn } from '../../src/discord/client.ts';
import { english } from '../../src/language/english.ts';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import type { MessageSnapshot } from '../../src/sandbox/control/protocol.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { silentLog } from '../support/silent-log.ts';
import { SkippingClock } from './support/skipping-clock.ts';

const parts = new AsyncDisposableStack();
const clock = new SkippingClock();
let control: SandboxClient;
let channel: GuildTextBasedChannel;
let facts: PanelFacts;
let writer: ChannelWriter;
let panel: CallPanel;

beforeAll(async () => {
  const sandbox = parts.use(await Sandbox.start());
  control = parts.use(await SandboxClient.connect(sandbox.controlUrl));
  const client = createClient(sandbox.discord.apiUrl, silentLog, new AbortController().signal);
  parts.defer(() => client.destroy());
  const discord = await signIn(client, sandbox.discord.token, new AbortController().signal);
  const text = discord.channels.cache.find((one) => 'name' in one && one.name === 'general');
  if (!text?.isTextBased() || text.isDMBased()) throw new Error('no text channel');
  channel = text;
});

beforeEach(async () => {
  facts = {
    voiceChannel: '<#1>',
    phase: 'listening',
    heard: ['11'],
    unheard: [],
    settings: { voice: 'alloy', answers: 'name' },
  };
  writer = new ChannelWriter(clock, silentLog, new AbortController().signal);
  panel = new CallPanel({ channel, writer, words: english, voices: ['alloy', 'coral'], facts: () => facts, clock });
  await panel.begin((message) => channel.send(message));
});

afterAll(() => parts.disposeAsync());

/** The newest messages of the channel, oldest first. */
async function newest(count: number): Promise<MessageSnapshot[]> {
  return (await control.messages({ channelId: channel.id })).slice(-count);
}

/** Something has changed, and is written. */
async function become(changes: Partial<PanelFacts>): Promise<void> {
  facts = { ...facts, ...changes };
  panel.changed();
  clock.skip(5000);
  await writer[Symbol.asyncDispose]();
}

test.for([
  ['thinking', 'Thinking'],
  ['speaking', 'Speaking'],
  ['paused', 'Paused'],
] as const)('it shows that the call is %s', async ([phase, word]: readonly [CallPhase, string]) => {
  await become({ phase });
  const [shown] = await newest(1);
  expect(shown?.content).toContain(`**${word}`);
  expect(shown?.content).toContain(english.join.listening('<#1>'));
  expect(shown?.edits).toBe(1);
});

test('what is the same as before is not written again', async () => {
  panel.changed();
  facts = { ...facts, phase: 'thinking' };
  panel.changed();
  facts = { ...facts, phase: 'listening' };
  await become({});
  expect((await newest(1))[0]?.edits).toBe(0);
});

test('of many people some are named and the rest counted, in a message that Discord takes', async () => {
  const crowd = Array.from({ length: 99 }, (_, index) => `1234567890123456${String(index).padStart(3, '0')}`);
  await become({ heard: crowd, unheard: crowd });
  const [shown] = await newest(1);
  expect(shown?.content).toContain('87 more');
  expect(shown?.content.match(/<@\d+>/g)).toHaveLength(24);
  expect(shown?.pinged).toEqual([]);
});

test('older than an hour Discord lets it hardly be changed: it moves to a new message, and the old one has no buttons', async () => {
  const [before] = await newest(1);
  clock.skip(56 * 60_000);
  await become({ phase: 'speaking' });
  const [old, fresh] = await newest(2);
  expect(old?.id).toBe(before?.id);
  expect(old?.components).toEqual([]);
  expect(old?.content).toContain(english.join.listening('<#1>'));
  expect(fresh?.content).toContain('**Speaking**');
  expect(fresh?.components).toHaveLength(3);
  expect(panel.isIn(fresh?.id ?? '')).toBe(true);
  expect(panel.isIn(old?.id ?? '')).toBe(false);
});

test('when the call has ended it says so and has nothing to press', async () => {
  const [before] = await newest(1);
  panel.end();
  await writer[Symbol.asyncDispose]();
  const [shown] = await newest(1);
  expect(shown).toMatchObject({ id: before?.id, content: english.panel.ended('<#1>'), components: [] });
  expect(panel.isIn(shown?.id ?? '')).toBe(false);
});

test('a panel that a moderator takes away stays away, and the call goes on', async () => {
  const [before] = await newest(1);
  await channel.messages.delete(before?.id ?? '');
  await become({ phase: 'thinking' });
  panel.end();
  await writer[Symbol.asyncDispose]();
  expect((await newest(50)).map(({ id }) => id)).not.toContain(before?.id);
});
