import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import type { GuildTextBasedChannel } from 'discord.js';

import { ChannelCaptions } from '../../src/discord/captions.ts';
import { ChannelWriter } from '../../src/discord/channel-writer.ts';
import { createClient, signIn } from '../../src/discord/client.ts';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import type { MessageSnapshot } from '../../src/sandbox/control/protocol.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { silentLog } from '../support/silent-log.ts';

const ALICE = { id: '1', name: 'Alice' };
const BOB = { id: '2', name: 'Bob' };

const parts = new AsyncDisposableStack();
let sandbox: Sandbox;
let control: SandboxClient;
let guildId: string;
let channel: GuildTextBasedChannel;
let writer: ChannelWriter;
let captions: ChannelCaptions;

beforeAll(async () => {
  sandbox = parts.use(await Sandbox.start());
  control = parts.use(await SandboxClient.connect(sandbox.controlUrl));
  guildId = sandbox.guild.id;
  const client = createClient(sandbox.discord.apiUrl, silentLog, new AbortController().signal);
  parts.defer(() => client.destroy());
  discord = await signIn(client, sandbox.discord.token, new AbortController().signal);
});

let discord: Awaited<ReturnType<typeof signIn>>;

beforeEach(async () => {
  const { id } = await control.createChannel({ guildId, name: 'words', kind: 'text' });
  await expect.poll(() => discord.channels.cache.has(id)).toBe(true);
  const found = discord.channels.cache.get(id);
  if (!found?.isTextBased() || found.isDMBased()) throw new Error('no text channel');
  channel = found;
  writer = new ChannelWriter(monotonicClock, silentLog, new AbortController().signal);
  captions = new ChannelCaptions(channel, writer);
});

afterEach(async () => {
  await writer[Symbol.asyncDispose]();
  expect((await control.restRequests({})).filter(({ status }) => status === 429)).toEqual([]);
});

afterAll(() => parts.disposeAsync());

function messages(): Promise<MessageSnapshot[]> {
  return control.messages({ channelId: channel.id });
}

test('a person’s words and the answer are there at once, in the order in which they were said', async () => {
  const hers = captions.begin(ALICE);
  const ours = captions.begin();
  hers.show('What time is it?');
  ours.show('It is');
  await Promise.all([hers.finish('What time is it?'), ours.finish('It is noon.')]);
  const shown = await messages();
  expect(shown.map(({ content }) => content)).toEqual(['**Alice:** What time is it?', 'It is noon.']);
  expect((shown[1]?.createdAtMs ?? Infinity) - (shown[0]?.createdAtMs ?? 0)).toBeLessThan(1000);
});

test('an answer that is there before the words it answers leaves a place for them', async () => {
  const hers = captions.begin(ALICE);
  const his = captions.begin(BOB);
  const ours = captions.begin();
  await ours.finish('Noon.');
  expect((await messages()).map(({ content }) => content)).toEqual(['**Alice:** …', '**Bob:** …', 'Noon.']);
  await Promise.all([hers.finish('What time is it?'), his.discard()]);
  expect((await messages()).map(({ content }) => content)).toEqual(['**Alice:** What time is it?', 'Noon.']);
});

test('who has nothing to say leaves nothing behind', async () => {
  await captions.begin(ALICE).discard();
  await captions.begin(ALICE).finish('  ');
  const ours = captions.begin();
  ours.show(' ');
  await ours.discard();
  expect(await messages()).toEqual([]);
});

test('nothing in a name or in words is formatted, or means somebody to Discord', async () => {
  const name = '*Al_ice*: @everyone <@1>';
  const words = '# big\n- list\n> quoted <@2> <#3> @here `code` ||spoiler|| https://a.b/c_d_e';
  await captions.begin({ id: '1', name }).finish(words);
  const [shown] = await messages();
  expect(shown?.pinged).toEqual([]);
  expect(shown?.content).toBe(
    '**\\*Al\\_ice\\* @\u200Beveryone \\<@1>:** \\# big\n\\- list\n\\> quoted \\<@2> \\<#3> @\u200Bhere \\`code\\` \\|\\|spoiler\\|\\| https://a.b/c_d_e',
  );
});

test('what grows is edited in place, the newest words win, and a long text goes on in more messages', async () => {
  const ours = captions.begin();
  for (let words = 1; words <= 200; words++) ours.show('word '.repeat(words));
  const long = 'A sentence of some length, for the channel. '.repeat(120);
  await ours.finish(long);
  const shown = await messages();
  expect(shown).toHaveLength(3);
  expect(shown.map(({ content }) => content).join(' ')).toBe(long.trim());
  expect(shown[0]?.edits).toBeLessThanOrEqual(2);
});

test('words a moderator takes away stay away', async () => {
  const hers = captions.begin(ALICE);
  hers.show('Something');
  await control.waitFor((event) => event.type === 'message-created' && event.message.channelId === channel.id);
  const [shown] = await messages();
  await channel.messages.delete(shown?.id ?? '');
  await hers.finish('Something else');
  expect(await messages()).toEqual([]);
});

test('an answer that was said while Discord could not be reached is there afterwards', async () => {
  // Discord's library tries four times by itself.
  await control.restFault({ route: `POST /channels/${channel.id}/messages`, status: 0, times: 4 });
  await captions.begin().finish('It is noon.');
  await writer[Symbol.asyncDispose]();
  await control.waitFor((event) => event.type === 'message-created' && event.message.channelId === channel.id);
  expect((await messages()).map(({ content }) => content)).toEqual(['It is noon.']);
});
