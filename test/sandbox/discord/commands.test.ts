import { ApplicationCommandOptionType, ApplicationCommandType, Routes } from 'discord.js';
import { expect, test } from 'vitest';
import { refusal } from './refusal.ts';
import { TestWorld } from './test-world.ts';

const option = (name: string, extra = {}) => ({
  type: ApplicationCommandOptionType.String,
  name,
  description: 'text',
  ...extra,
});
const command = (name: string, extra = {}) => ({ name, description: 'does it', ...extra });

test('commands are registered, replaced and deleted; ids stay while names do', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  const first = await client.application.commands.set([
    command('ask', { options: [option('prompt')] }),
    command('bye'),
  ]);
  const again = await client.application.commands.set([
    command('ask', { options: [option('prompt')] }),
    { type: ApplicationCommandType.Message, name: 'Transcribe this' },
  ]);
  const idOf = (commands: typeof first, name: string) => commands.find((one) => one.name === name)?.id;
  expect(idOf(again, 'ask')).toBe(idOf(first, 'ask'));
  const kept = (commands: typeof first) => commands.find((one) => one.name === 'ask')?.version;
  expect(kept(again)).toBe(kept(first));
  expect((await client.application.commands.fetch()).map(({ name }) => name).toSorted()).toEqual([
    'Transcribe this',
    'ask',
  ]);
  const guildOnly = await client.application.commands.create(command('here'), world.guildId);
  expect(guildOnly.guildId).toBe(world.guildId);
  const edited = await guildOnly.edit({ description: 'now different' });
  expect([edited.id, edited.description]).toEqual([guildOnly.id, 'now different']);
  await guildOnly.delete();
  const { commands } = await world.control.world({});
  expect(commands.map((one) => one['name'])).toEqual(['ask', 'Transcribe this']);
  const event = await world.control.waitFor((one) => one.type === 'commands-registered');
  expect(event).toMatchObject({ names: ['ask', 'bye'] });
});

test('what Discord does not register is refused with its codes at the fields', async () => {
  await using world = await TestWorld.start();
  const rest = world.rest();
  const { bot } = await world.control.world({});
  const put = (body: unknown) => refusal(rest.put(Routes.applicationCommands(bot.id), { body }));
  const cases: [unknown, string[]][] = [
    [[command('Ask')], ['0.name: APPLICATION_COMMAND_INVALID_NAME']],
    [[command('ask me')], ['0.name: APPLICATION_COMMAND_INVALID_NAME']],
    [[command('a'.repeat(33))], ['0.name: BASE_TYPE_BAD_LENGTH']],
    [[{ name: 'ask' }], ['0.description: BASE_TYPE_REQUIRED']],
    [[command('ask', { description: 'x'.repeat(101) })], ['0.description: BASE_TYPE_BAD_LENGTH']],
    [[command('ask'), command('ask')], ['1: APPLICATION_COMMANDS_DUPLICATE_NAME']],
    [
      [command('ask', { options: [option('a'), option('b', { required: true })] })],
      ['0.options.1: APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID'],
    ],
    [
      [command('ask', { options: Array.from({ length: 26 }, (_, n) => option(`o${n}`)) })],
      ['0.options: BASE_TYPE_MAX_LENGTH'],
    ],
    [
      [
        command('ask', {
          options: [option('a', { choices: Array.from({ length: 26 }, (_, n) => ({ name: `c${n}`, value: `${n}` })) })],
        }),
      ],
      ['0.options.0.choices: BASE_TYPE_MAX_LENGTH'],
    ],
    [[command('ask', { name_localizations: { klingon: 'ask' } })], ['0.name_localizations.klingon: ENUM_TYPE_COERCE']],
    [[{ type: 3, name: 'Menu', description: 'not allowed' }], ['0.description: BASE_TYPE_MAX_LENGTH']],
  ];
  for (const [body, fields] of cases) expect(await put(body)).toEqual({ code: 50_035, status: 400, fields });
  const tooMany = Array.from({ length: 101 }, (_, n) => command(`c${n}`));
  expect(await put(tooMany)).toMatchObject({ code: 30_032 });
  const { commands } = await world.control.world({});
  expect(commands).toEqual([]);
});

test('names in other scripts and subcommands are taken', async () => {
  await using world = await TestWorld.start();
  const client = await world.bot();
  const subcommand = {
    type: ApplicationCommandOptionType.Subcommand,
    name: 'voice',
    description: 'the voice',
  } as const;
  await client.application.commands.set([
    command('frage', { name_localizations: { 'pt-BR': 'pergunta', ja: '質問' } }),
    command('समझाओ'),
    command('settings', { options: [{ ...subcommand, options: [option('name', { required: true })] }] }),
  ]);
  const { commands } = await world.control.world({});
  expect(commands.map((one) => one['name'])).toEqual(['frage', 'समझाओ', 'settings']);
  const listed = async (query: string) =>
    JSON.stringify(
      await world.rest().get(Routes.applicationCommands(client.application.id), { query: new URLSearchParams(query) }),
    );
  expect(await listed('')).not.toContain('pergunta');
  expect(await listed('with_localizations=true')).toContain('"pt-BR":"pergunta"');
});
