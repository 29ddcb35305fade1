import { ApplicationCommandOptionType, ChannelType } from 'discord.js';
import { expect, test } from 'vitest';
import { onInteraction, TestWorld } from './test-world.ts';

const file = { name: 'a.ogg', contentType: 'audio/ogg', data: Buffer.from('OggS').toString('base64') };

async function started() {
  const world = await TestWorld.start();
  const client = await world.bot();
  const { Attachment, Boolean, Channel, Integer, String, Subcommand, User } = ApplicationCommandOptionType;
  const described = { description: 'text' };
  await client.application.commands.set([
    {
      name: 'ask',
      ...described,
      options: [
        { type: String, name: 'prompt', ...described, required: true, minLength: 2, maxLength: 10 },
        { type: String, name: 'reply', ...described, choices: [{ name: 'Text', value: 'text' }] },
        { type: Integer, name: 'count', ...described, minValue: 1, maxValue: 3 },
        { type: Boolean, name: 'loud', ...described },
        { type: Attachment, name: 'file', ...described },
        { type: User, name: 'who', ...described },
        { type: Channel, name: 'where', ...described, channelTypes: [ChannelType.GuildVoice] },
      ],
    },
    { name: 'settings', ...described, options: [{ type: Subcommand, name: 'voice', ...described }] },
    { name: 'ban', ...described, defaultMemberPermissions: 'BanMembers' },
  ]);
  const run = (command: string, options?: Parameters<typeof world.control.runCommand>[0]['options']) =>
    world.control.runCommand({ personId: world.alice, channelId: world.textId, command, ...(options && { options }) });
  return { world, client, run };
}

test('every kind of option arrives as discord.js reads it', async () => {
  const { world, client, run } = await started();
  await using _ = world;
  let got: unknown;
  const failures = onInteraction(client, async (one) => {
    if (!one.isChatInputCommand()) return;
    const attached = one.options.getAttachment('file', true);
    got = {
      prompt: one.options.getString('prompt'),
      reply: one.options.getString('reply'),
      count: one.options.getInteger('count'),
      loud: one.options.getBoolean('loud'),
      who: one.options.getMember('who'),
      where: one.options.getChannel('where')?.name,
      file: [attached.name, attached.size, attached.contentType, await (await fetch(attached.url)).text()],
    };
    await one.reply('yes');
  });
  const { interactionId } = await run('ask', {
    prompt: 'hello',
    reply: 'text',
    count: 3,
    loud: true,
    who: world.bob,
    where: world.loungeId,
    file: { ...file, claimedSize: 99 },
  });
  await world.settled(interactionId);
  expect(failures).toEqual([]);
  expect(got).toMatchObject({
    prompt: 'hello',
    reply: 'text',
    count: 3,
    loud: true,
    who: { displayName: 'Bob' },
    where: 'Lounge',
    file: ['a.ogg', 99, 'audio/ogg', 'OggS'],
  });
});

test('what the client would not send is refused with a sentence', async () => {
  const { world, client, run } = await started();
  await using _ = world;
  const reached: string[] = [];
  onInteraction(client, async (one) => reached.push(one.id));
  const prompt = 'hello';
  const cases: [string, Parameters<typeof run>[1], string][] = [
    ['nothing', undefined, 'There is no command /nothing.'],
    ['ask', undefined, 'The option prompt is required.'],
    ['ask', { prompt: '' }, 'The option prompt is required.'],
    ['ask', { prompt: 'x' }, 'The option prompt takes at least 2 characters.'],
    ['ask', { prompt: 'x'.repeat(11) }, 'The option prompt takes at most 10 characters.'],
    ['ask', { prompt, other: 'x' }, '/ask has no option other.'],
    ['ask', { prompt, reply: 'song' }, 'The option reply is one of: text.'],
    ['ask', { prompt, count: 4 }, 'The option count takes a number from 1 to 3.'],
    ['ask', { prompt, count: 1.5 }, 'The option count takes a whole number.'],
    ['ask', { prompt, count: '2' }, 'The option count takes a number.'],
    ['ask', { prompt, file: 'a.ogg' }, 'The option file takes a file.'],
    ['ask', { prompt, who: '1' }, 'There is no member 1 in Parley Sandbox.'],
    ['ask', { prompt, where: world.textId }, 'general is not one of the kinds of channel'],
    ['settings', undefined, '/settings needs a subcommand.'],
    ['settings speed', undefined, 'There is no command /settings speed.'],
    ['ban', undefined, 'Alice may not use /ban here.'],
  ];
  for (const [command, options, sentence] of cases) await expect(run(command, options)).rejects.toThrow(sentence);
  await world.control.setDenied({
    channelId: world.textId,
    userId: world.alice,
    deny: ['USE_APPLICATION_COMMANDS', 'SEND_MESSAGES'],
  });
  await expect(run('ask', { prompt })).rejects.toThrow('Alice may not use /ask here.');
  const at = { personId: world.alice, channelId: world.textId };
  await expect(world.control.sendMessage({ ...at, content: 'x' })).rejects.toThrow('Alice may not write in general.');
  expect(reached).toEqual([]);
});

test('a subcommand arrives with its name', async () => {
  const { world, client, run } = await started();
  await using _ = world;
  let got = '';
  const failures = onInteraction(client, async (one) => {
    if (!one.isChatInputCommand()) return;
    got = `${one.commandName} ${one.options.getSubcommand()}`;
    await one.reply('yes');
  });
  await world.settled((await run('settings voice')).interactionId);
  expect([got, failures]).toEqual(['settings voice', []]);
});

test('a bot among the people uses no commands, and more people and languages can be had', async () => {
  const { world, client, run } = await started();
  await using _ = world;
  const robot = await world.control.createPerson({ guildId: world.guildId, name: 'Robot', bot: true });
  const clara = await world.control.createPerson({ guildId: world.guildId, name: 'Clara', locale: 'de' });
  const at = { channelId: world.textId, command: 'ask', options: { prompt: 'hallo' } };
  await expect(world.control.runCommand({ ...at, personId: robot.id })).rejects.toThrow('Robot is a bot');
  let locale = '';
  onInteraction(client, async (one) => {
    ({ locale } = one);
    if (one.isChatInputCommand()) await one.reply('ja');
  });
  await world.settled((await world.control.runCommand({ ...at, personId: clara.id })).interactionId);
  expect(locale).toBe('de');
  await expect(run('ask', { prompt: 'x' })).rejects.toThrow();
});

test('when the bot is away an interaction fails as people see it', async () => {
  const { world, client, run } = await started();
  await using _ = world;
  await client.destroy();
  await world.control.waitFor((event) => event.type === 'bot-offline');
  const { interactionId } = await run('settings voice');
  await world.control.ageInteraction({ interactionId, byMs: 3001 });
  expect(await world.control.interaction({ interactionId })).toMatchObject({ state: 'failed', messages: [] });
});
