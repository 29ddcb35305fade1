import { ChannelType, type Client, GatewayIntentBits, MessageFlags, Routes, type TextChannel } from 'discord.js';
import { expect, test } from 'vitest';
import { refusal } from './refusal.ts';
import { nextEvent, PARLEY_INTENTS, TestWorld } from './test-world.ts';

function textChannel(client: Client, id: string): TextChannel {
  const channel = client.channels.cache.get(id);
  if (channel?.type !== ChannelType.GuildText) throw new Error('It is no text channel.');
  return channel;
}

const ogg = { attachment: Buffer.from('OggS sound'), name: 'voice-message.ogg' };
const waveform = Buffer.from([1, 2, 3]).toString('base64');

test('the bot writes, replies, edits, reads and deletes', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  const channel = textChannel(client, world.textId);
  const sent = await channel.send({
    content: '  hello  ',
    files: [{ attachment: Buffer.from('abc'), name: 'my file.txt' }],
  });
  expect(sent.content).toBe('hello');
  const file = sent.attachments.first();
  expect([file?.name, file?.size]).toEqual(['my_file.txt', 3]);
  await sent.reply('a reply');
  await sent.edit({ content: 'hello again', attachments: [] });
  const page = await channel.messages.fetch({ limit: 10, cache: false });
  expect(page.map(({ content }) => content)).toEqual(['a reply', 'hello again']);
  const [first, second] = await world.control.messages({ channelId: world.textId });
  expect(first).toMatchObject({ content: 'hello again', edits: 1, attachments: [], authorName: 'Parley' });
  expect(second).toMatchObject({ content: 'a reply', edits: 0 });
  await sent.delete();
  expect(await refusal(channel.messages.fetch({ message: sent.id, force: true }))).toMatchObject({ code: 10_008 });
  await channel.sendTyping();
});

test('attachments are served at their signed address only', async () => {
  await using world = await TestWorld.start();
  const data = Buffer.from('sound').toString('base64');
  const { attachments } = await world.control.sendMessage({
    personId: world.alice,
    channelId: world.textId,
    content: '',
    attachments: [{ name: 'a.wav', data, claimedSize: 3 }],
  });
  const { url = '', size } = attachments[0] ?? {};
  const address = new URL(url);
  expect(address.host).toBe(world.discord.cdnHost);
  expect([...address.searchParams.keys()].slice(0, 3)).toEqual(['ex', 'is', 'hm']);
  const served = await fetch(url);
  expect([served.status, served.headers.get('content-type'), await served.text()]).toEqual([
    200,
    'audio/x-wav',
    'sound',
  ]);
  expect(size).toBe(3);
  address.searchParams.set('ex', 'ffffffff');
  expect((await fetch(address)).status).toBe(404);
});

test('a voice message has one sound with its length and waveform, and is never edited', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  const channel = textChannel(client, world.textId);
  const flags = MessageFlags.IsVoiceMessage;
  const voice = { ...ogg, duration: 1.5, waveform };
  const sent = await channel.send({ files: [voice], flags });
  const [snapshot] = await world.control.messages({ channelId: world.textId });
  expect(snapshot).toMatchObject({ voiceMessage: true, attachments: [{ durationSecs: 1.5, waveform }] });
  expect(await refusal(sent.edit('words'))).toMatchObject({ code: 50_162 });
  expect(await refusal(channel.send({ content: 'words', files: [voice], flags }))).toMatchObject({ code: 50_159 });
  expect(await refusal(channel.send({ files: [voice, voice], flags }))).toMatchObject({ code: 50_160 });
  const picture = {
    ...voice,
    attachment: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    name: 'a.png',
  };
  expect(await refusal(channel.send({ files: [picture], flags }))).toMatchObject({ code: 50_160 });
  expect(await refusal(channel.send({ files: [ogg], flags }))).toMatchObject({ code: 50_161 });
});

test('where voice messages are forbidden, sending one is refused', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  const channel = textChannel(client, world.textId);
  await world.control.setDenied({ channelId: world.textId, userId: client.user.id, deny: ['SEND_VOICE_MESSAGES'] });
  const message = { files: [{ ...ogg, duration: 1.5, waveform }], flags: MessageFlags.IsVoiceMessage } as const;
  expect(await refusal(channel.send(message))).toMatchObject({ code: 50_173, status: 403 });
});

test('without the flag, or where it cannot be set, a sound is an ordinary file', async () => {
  await using world = await TestWorld.start();
  const channel = textChannel(await world.bot(), world.textId);
  const message = await channel.send('words');
  await message.edit({ files: [{ ...ogg, duration: 1.5, waveform }], flags: MessageFlags.SuppressEmbeds });
  const [snapshot] = await world.control.messages({ channelId: world.textId });
  expect(snapshot?.voiceMessage).toBe(false);
  expect(snapshot?.attachments[0]).not.toHaveProperty('durationSecs');
});

const button = (id: string) => ({ type: 2, style: 1, label: 'x', custom_id: id });
const row = (...components: unknown[]) => ({ type: 1, components });
const embed = (extra: object) => ({ content: 'x', embeds: [extra] });
const options = (count: number) => Array.from({ length: count }, (_, n) => ({ label: `${n}`, value: `${n}` }));

test('too much is refused field by field', async () => {
  await using world = await TestWorld.start();
  const rest = world.rest();
  const post = (body: unknown) => refusal(rest.post(Routes.channelMessages(world.textId), { body }));
  const cases: [unknown, string[]][] = [
    [{ content: 'x'.repeat(2001) }, ['content: BASE_TYPE_MAX_LENGTH']],
    [embed({ title: 'x'.repeat(257) }), ['embeds.0.title: BASE_TYPE_MAX_LENGTH']],
    [embed({ fields: [{ name: '', value: 'v' }] }), ['embeds.0.fields.0.name: BASE_TYPE_REQUIRED']],
    [embed({ description: 'x', url: 'nowhere' }), ['embeds.0.url: URL_TYPE_INVALID_URL']],
    [
      { embeds: [{ description: 'x'.repeat(4096) }, { description: 'x'.repeat(2000) }] },
      ['embeds: MAX_EMBED_SIZE_EXCEEDED'],
    ],
    [{ content: 'x', embeds: Array.from({ length: 11 }, () => ({ title: 't' })) }, ['embeds: BASE_TYPE_MAX_LENGTH']],
    [
      { content: 'x', components: Array.from({ length: 6 }, (_, n) => row(button(`${n}`))) },
      ['components: BASE_TYPE_MAX_LENGTH'],
    ],
    [
      { content: 'x', components: [row(...Array.from({ length: 6 }, (_, n) => button(`${n}`)))] },
      ['components.0.components: BASE_TYPE_BAD_LENGTH'],
    ],
    [
      { content: 'x', components: [row(button('a'), button('a'))] },
      ['components.0.components.1.custom_id: COMPONENT_CUSTOM_ID_DUPLICATED'],
    ],
    [
      { content: 'x', components: [row(button('x'.repeat(101)))] },
      ['components.0.components.0.custom_id: BASE_TYPE_BAD_LENGTH'],
    ],
    [
      { content: 'x', components: [row({ type: 3, custom_id: 's', options: options(26) })] },
      ['components.0.components.0.options: BASE_TYPE_BAD_LENGTH'],
    ],
    [
      { content: 'x', allowed_mentions: { parse: ['users'], users: [world.alice] } },
      ['allowed_mentions: MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE'],
    ],
    [{ content: 7 }, ['content: STRING_TYPE_CONVERT']],
  ];
  // Each refused request counts against the channel's limit as a sent one does: a channel a case.
  for (const [body, fields] of cases) {
    const { id } = await world.control.createChannel({ guildId: world.guildId, name: 'other', kind: 'text' });
    const answer = await refusal(rest.post(Routes.channelMessages(id), { body }));
    expect(answer).toEqual({ code: 50_035, status: 400, fields });
  }
  expect(await post({ content: '   ' })).toMatchObject({ code: 50_006, status: 400 });
  expect(await post({ content: '😀'.repeat(2000), flags: 1 << 15 })).toMatchObject({
    fields: ['flags: BASE_TYPE_CHOICES'],
  });
});

test('two thousand emoji fit, because characters are counted and not code units', async () => {
  await using world = await TestWorld.start();
  const channel = textChannel(await world.bot(), world.textId);
  await channel.send('😀'.repeat(2000));
  expect(await world.control.messages({ channelId: world.textId })).toHaveLength(1);
});

test('a file over 10 MiB is refused as too large', async () => {
  await using world = await TestWorld.start();
  const channel = textChannel(await world.bot(), world.textId);
  const attachment = Buffer.alloc(10 * 1024 * 1024 + 1);
  expect(await refusal(channel.send({ files: [{ attachment, name: 'a.bin' }] }))).toMatchObject({
    code: 40_005,
    status: 413,
  });
  expect(
    await refusal(channel.send({ files: [{ attachment: Buffer.alloc(26_300_000), name: 'a.bin' }] })),
  ).toMatchObject({
    code: 40_005,
  });
});

test('permissions that are missing are told apart', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  const channel = textChannel(client, world.textId);
  const deny = (...names: string[]) =>
    world.control.setDenied({ channelId: world.textId, userId: client.user.id, deny: names });
  const file = { files: [{ attachment: Buffer.from('x'), name: 'a.txt' }] };
  await deny('ATTACH_FILES');
  expect(await refusal(channel.send(file))).toMatchObject({ code: 50_013, status: 403 });
  await deny('SEND_MESSAGES');
  expect(await refusal(channel.send('x'))).toMatchObject({ code: 50_013, status: 403 });
  await deny('VIEW_CHANNEL');
  expect(await refusal(channel.send('x'))).toMatchObject({ code: 50_001, status: 403 });
  await world.control.deleteChannel({ channelId: world.textId });
  expect(await refusal(channel.send('x'))).toMatchObject({ code: 10_003, status: 404 });
});

test('allowed mentions decide who is pinged', async () => {
  await using world = await TestWorld.start();
  const channel = textChannel(await world.bot(), world.textId);
  const content = `<@${world.alice}> <@${world.bob}> @everyone \`<@${world.bob}>\``;
  const pinged = async (options: object): Promise<string[]> => {
    const { id } = await channel.send({ content, ...options });
    const messages = await world.control.messages({ channelId: world.textId });
    return [...(messages.find((one) => one.id === id)?.pinged ?? [])].filter(
      (one) => one === world.alice || one === world.bob,
    );
  };
  expect(await pinged({ allowedMentions: { parse: [] } })).toEqual([]);
  expect(await pinged({ allowedMentions: { users: [world.alice] } })).toEqual([world.alice]);
  expect(await pinged({ allowedMentions: { parse: ['users', 'everyone'] } })).toEqual([world.alice, world.bob]);
  const asked = await world.control.sendMessage({ personId: world.alice, channelId: world.textId, content: 'hm' });
  const reply = { messageReference: asked.id };
  expect(await pinged({ reply, content: 'yes', allowedMentions: { repliedUser: false } })).toEqual([]);
  expect(await pinged({ reply, content: 'yes', allowedMentions: { repliedUser: true } })).toEqual([world.alice]);
});

test('a nonce that is enforced posts once', async () => {
  await using world = await TestWorld.start();
  const channel = textChannel(await world.bot(), world.textId);
  const first = await channel.send({ content: 'once', nonce: 'turn-1', enforceNonce: true });
  const again = await channel.send({ content: 'twice', nonce: 'turn-1', enforceNonce: true });
  expect([again.id, again.content]).toEqual([first.id, 'once']);
  await channel.send({ content: 'unenforced', nonce: 'turn-1' });
  const contents = (await world.control.messages({ channelId: world.textId })).map((one) => one.content);
  expect(contents).toEqual(['once', 'unenforced']);
});

test('threads start from a message and on their own', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  const channel = textChannel(client, world.textId);
  const message = await channel.send('a transcript');
  const thread = await message.startThread({ name: 'Transcript' });
  await thread.send('the rest of it');
  expect(thread.id).toBe(message.id);
  expect(await refusal(message.startThread({ name: 'Again' }))).toMatchObject({ code: 160_004 });
  const other = await channel.threads.create({ name: 'Another' });
  await other.setArchived(true);
  const { guilds } = await world.control.world({});
  const threads = guilds[0]?.channels.filter(({ kind }) => kind === 'thread');
  expect(threads?.map(({ name, parentId }) => [name, parentId])).toEqual([
    ['Transcript', world.textId],
    ['Another', world.textId],
  ]);
  expect((await world.control.messages({ channelId: thread.id })).map(({ content }) => content)).toEqual([
    '',
    'the rest of it',
  ]);
});

test('what others write is hidden without the message content intent', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot([...PARLEY_INTENTS, GatewayIntentBits.GuildMessages]);
  const next = () => nextEvent(client, 'messageCreate').then(([message]) => message);
  const say = (content: string) =>
    world.control.sendMessage({ personId: world.alice, channelId: world.textId, content });
  const hidden = next();
  const { id } = await say('a secret');
  expect(await hidden).toMatchObject({ id, content: '' });
  const mention = next();
  await say(`<@${client.user.id}> hello`);
  expect(await mention).toMatchObject({ content: `<@${client.user.id}> hello` });
  const fetched = await textChannel(client, world.textId).messages.fetch({ message: id, force: true });
  expect(fetched.content).toBe('');
});

test('with the message content intent switched on it is shown', async () => {
  await using world = await TestWorld.start({ privilegedIntents: GatewayIntentBits.MessageContent });
  const intents = [...PARLEY_INTENTS, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent];
  const client = await world.bot(intents);
  const shown = nextEvent(client, 'messageCreate');
  await world.control.sendMessage({ personId: world.alice, channelId: world.textId, content: 'a secret' });
  expect((await shown)[0]).toMatchObject({ content: 'a secret' });
});
