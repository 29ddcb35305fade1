import {
  ActionRowBuilder,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ButtonBuilder,
  ButtonStyle,
  type ChatInputCommandInteraction,
  type Client,
  MessageFlags,
  ModalBuilder,
  StringSelectMenuBuilder,
  TextInputBuilder,
  TextInputStyle,
} from 'discord.js';
import { expect, test } from 'vitest';
import { ManualClock } from '../../support/manual-clock.ts';
import { refusal } from './refusal.ts';
import { onInteraction, TestWorld } from './test-world.ts';

async function started(options: Parameters<typeof TestWorld.start>[0] = {}) {
  const world = await TestWorld.start(options);
  const client = await world.bot();
  await client.application.commands.set([
    {
      name: 'ask',
      description: 'asks',
      options: [{ type: ApplicationCommandOptionType.String, name: 'prompt', description: 'text', autocomplete: true }],
    },
    { type: ApplicationCommandType.Message, name: 'Transcribe' },
  ]);
  return { world, client };
}

function ask(world: TestWorld, personId = world.alice) {
  return world.control.runCommand({ personId, channelId: world.textId, command: 'ask', options: { prompt: 'hi' } });
}

function row<Part extends ButtonBuilder | StringSelectMenuBuilder | TextInputBuilder>(part: Part) {
  return new ActionRowBuilder<Part>().addComponents(part);
}

/** Answers the next chat command with `answer`. */
function answering(client: Client, answer: (interaction: ChatInputCommandInteraction) => Promise<unknown>): unknown[] {
  return onInteraction(client, async (one) => {
    if (one.isChatInputCommand()) await answer(one);
  });
}

test('a deferred answer is edited, grows by follow-ups and can be taken back', async () => {
  const { world, client } = await started();
  await using _ = world;
  const seen: unknown[] = [];
  const failures = answering(client, async (interaction) => {
    const callback = await interaction.deferReply({ withResponse: true });
    seen.push(callback.interaction.responseMessageLoading);
    seen.push((await interaction.fetchReply()).flags.has(MessageFlags.Loading));
    const whileWaiting = await world.control.interaction({ interactionId: interaction.id });
    seen.push(whileWaiting.state, whileWaiting.messages.length);
    await interaction.editReply('first');
    await interaction.editReply({ content: 'second', files: [{ attachment: Buffer.from('x'), name: 'a.txt' }] });
    seen.push((await interaction.fetchReply()).content);
    const followUp = await interaction.followUp({ content: 'more', flags: MessageFlags.Ephemeral });
    await interaction.webhook.editMessage(followUp, 'more still');
    const unwanted = await interaction.followUp('unwanted');
    await interaction.deleteReply(unwanted);
  });
  const { interactionId } = await ask(world);
  await world.control.waitFor((event) => event.type === 'message-deleted');
  expect(failures).toEqual([]);
  expect(seen).toEqual([true, true, 'deferred', 0, 'second']);
  const { state, messages } = await world.control.interaction({ interactionId });
  expect(state).toBe('answered');
  expect(messages.map(({ content, ephemeral, edits }) => ({ content, ephemeral, edits }))).toEqual([
    { content: 'second', ephemeral: false, edits: 1 },
    { content: 'more still', ephemeral: true, edits: 1 },
  ]);
  expect(messages[0]?.attachments.map(({ name }) => name)).toEqual(['a.txt']);
  const visibleTo = async (personId: string) =>
    (await world.control.messages({ channelId: world.textId, personId })).map(({ content }) => content);
  expect(await visibleTo(world.alice)).toEqual(['second', 'more still']);
  expect(await visibleTo(world.bob)).toEqual(['second']);
});

test('the first follow-up after a deferral fills the answer, and keeps it ephemeral', async () => {
  const { world, client } = await started();
  await using _ = world;
  const failures = answering(client, async (interaction) => {
    await interaction.deferReply({ flags: MessageFlags.Ephemeral });
    await interaction.followUp('here');
  });
  const { interactionId } = await ask(world);
  const { messages } = await world.settled(interactionId);
  expect(failures).toEqual([]);
  expect(messages.map(({ content, ephemeral }) => [content, ephemeral])).toEqual([['here', true]]);
});

test('buttons, menus and modals reach the bot, which can answer in place', async () => {
  const { world, client } = await started();
  await using _ = world;
  const button = new ButtonBuilder().setCustomId('more').setLabel('More').setStyle(ButtonStyle.Primary);
  const menu = new StringSelectMenuBuilder()
    .setCustomId('voice')
    .addOptions({ label: 'Slow', value: 'slow' }, { label: 'Fast', value: 'fast' });
  const input = new TextInputBuilder()
    .setCustomId('why')
    .setLabel('Why?')
    .setStyle(TextInputStyle.Short)
    .setMinLength(3);
  const failures = onInteraction(client, async (one) => {
    if (one.isChatInputCommand()) await one.reply({ content: 'choose', components: [row(button), row(menu)] });
    if (one.isStringSelectMenu()) await one.update({ content: `chosen ${one.values.join()}`, components: [] });
    if (one.isButton()) {
      await one.showModal(new ModalBuilder().setCustomId('form').setTitle('Form').addComponents(row(input)));
    }
    if (one.isModalSubmit() && one.isFromMessage()) {
      await one.deferUpdate();
      await one.editReply(`because ${one.fields.getTextInputValue('why')}`);
    }
  });
  const { interactionId } = await ask(world);
  const messageId = (await world.settled(interactionId)).messages[0]?.id ?? '';
  const at = { personId: world.bob, channelId: world.textId, messageId };

  const pressed = await world.control.pressButton({ ...at, customId: 'more' });
  expect((await world.settled(pressed.interactionId)).modal).toMatchObject({ custom_id: 'form', title: 'Form' });
  const fill = (why: string) =>
    world.control.submitModal({ personId: world.bob, interactionId: pressed.interactionId, fields: { why } });
  await expect(fill('no')).rejects.toThrow('The field why takes at least 3 characters.');
  await world.settled((await fill('it is late')).interactionId);

  await expect(world.control.selectOptions({ ...at, customId: 'voice', values: ['loud'] })).rejects.toThrow(
    'no option',
  );
  const selected = await world.control.selectOptions({ ...at, customId: 'voice', values: ['fast'] });
  await world.settled(selected.interactionId);
  await expect(world.control.pressButton({ ...at, customId: 'more' })).rejects.toThrow('has no button');

  const update = (content: string) =>
    world.control.waitFor((one) => one.type === 'message-updated' && one.message.content === content);
  await update('because it is late');
  await update('chosen fast');
  expect(failures).toEqual([]);
});

test('autocomplete offers the choices for what is typed', async () => {
  const { world, client } = await started();
  await using _ = world;
  const failures = onInteraction(client, async (one) => {
    if (!one.isAutocomplete()) return;
    const typed = one.options.getFocused();
    await one.respond([{ name: `${typed} one`, value: '1' }]);
  });
  const at = { personId: world.alice, channelId: world.textId, command: 'ask', option: 'prompt' };
  expect(await world.control.autocomplete({ ...at, value: 'take' })).toEqual({
    choices: [{ name: 'take one', value: '1' }],
  });
  expect(failures).toEqual([]);
});

test('a message command carries the whole message without the message content intent', async () => {
  const { world, client } = await started();
  await using _ = world;
  let got = '';
  const failures = onInteraction(client, async (one) => {
    if (!one.isMessageContextMenuCommand()) return;
    const file = one.targetMessage.attachments.first();
    got = `${one.targetMessage.content} ${await (await fetch(file?.url ?? '')).text()}`;
    await one.reply({ content: 'done', flags: MessageFlags.Ephemeral });
  });
  const at = { personId: world.alice, channelId: world.textId };
  const attachments = [{ name: 'note.txt', data: Buffer.from('inside').toString('base64') }];
  const { id } = await world.control.sendMessage({ ...at, content: 'outside', attachments });
  const { interactionId } = await world.control.runMessageCommand({ ...at, messageId: id, command: 'Transcribe' });
  await world.settled(interactionId);
  expect(failures).toEqual([]);
  expect(got).toBe('outside inside');
});

test('the bot has three seconds, and one answer', async () => {
  const clock = new ManualClock();
  const { world, client } = await started({ clock });
  await using _ = world;
  const refusals = new Map<string, unknown>();
  const late = Promise.withResolvers<void>();
  onInteraction(client, async (one) => {
    if (!one.isChatInputCommand()) return;
    if (one.user.id === world.alice) {
      await late.promise;
      refusals.set('late', await refusal(one.reply('too late')));
      refusals.set(
        'late edit',
        await refusal(
          client.rest.patch(`/webhooks/${one.applicationId}/${one.token}/messages/@original`, {
            body: { content: 'x' },
          }),
        ),
      );
    } else {
      refusals.set(
        'early edit',
        await refusal(
          client.rest.patch(`/webhooks/${one.applicationId}/${one.token}/messages/@original`, {
            body: { content: 'x' },
          }),
        ),
      );
      await one.reply('in time');
      const again = client.rest.post(`/interactions/${one.id}/${one.token}/callback`, {
        body: { type: 4, data: { content: 'x' } },
        auth: false,
      });
      refusals.set('twice', await refusal(again));
    }
    refusals.set(`done ${one.user.id}`, true);
  });
  const missed = await ask(world);
  clock.advance(2999);
  expect((await world.control.interaction(missed)).state).toBe('waiting');
  clock.advance(1);
  expect((await world.control.interaction(missed)).state).toBe('failed');
  late.resolve();
  await expect.poll(() => refusals.has(`done ${world.alice}`)).toBe(true);
  await world.settled((await ask(world, world.bob)).interactionId);
  await expect.poll(() => refusals.has(`done ${world.bob}`)).toBe(true);
  expect(refusals.get('late')).toMatchObject({ code: 10_062, status: 404 });
  expect(refusals.get('late edit')).toMatchObject({ code: 10_015, status: 404 });
  expect(refusals.get('early edit')).toMatchObject({ code: 10_015, status: 404 });
  expect(refusals.get('twice')).toMatchObject({ code: 40_060, status: 400 });
});

test('after fifteen minutes the token is worth nothing', async () => {
  const { world, client } = await started();
  await using _ = world;
  const aged = Promise.withResolvers<void>();
  let after: unknown;
  answering(client, async (interaction) => {
    await interaction.deferReply();
    await aged.promise;
    after = await refusal(interaction.editReply('at last'));
  });
  const { interactionId } = await ask(world);
  await world.settled(interactionId, 'deferred');
  await world.control.ageInteraction({ interactionId, byMs: 15 * 60 * 1000 });
  aged.resolve();
  await expect.poll(() => after).toMatchObject({ code: 50_027, status: 401 });
});

test('answers that do not fit the interaction are refused and leave it waiting', async () => {
  const { world, client } = await started();
  await using _ = world;
  const refusals: unknown[] = [];
  const failures = answering(client, async (one) => {
    const post = (body: unknown) =>
      client.rest.post(`/interactions/${one.id}/${one.token}/callback`, { body, auth: false });
    refusals.push(await refusal(post({ type: 7, data: { content: 'x' } })));
    refusals.push(await refusal(post({ type: 4, data: { content: 'x'.repeat(2001) } })));
    refusals.push(await refusal(post({ type: 4, data: {} })));
    refusals.push(await refusal(post({ type: 9, data: { custom_id: 'm', title: 't'.repeat(46), components: [] } })));
    await one.reply({ content: 'x'.repeat(2000), flags: MessageFlags.Ephemeral });
  });
  const { interactionId } = await ask(world);
  await world.settled(interactionId);
  expect(failures).toEqual([]);
  expect(refusals).toEqual([
    { code: 50_035, status: 400, fields: ['type: BASE_TYPE_CHOICES'] },
    { code: 50_035, status: 400, fields: ['data.content: BASE_TYPE_MAX_LENGTH'] },
    { code: 50_006, status: 400, fields: [] },
    { code: 50_035, status: 400, fields: ['data.title: BASE_TYPE_BAD_LENGTH', 'data.components: BASE_TYPE_REQUIRED'] },
  ]);
});

test('interactions say what the person and the bot may do here', async () => {
  const { world, client } = await started();
  await using _ = world;
  const denied = { channelId: world.textId, deny: ['ATTACH_FILES'] };
  const { bot } = await world.control.world({});
  await world.control.setDenied({ ...denied, userId: bot.id });
  let seen: unknown;
  const failures = answering(client, async (one) => {
    seen = {
      bot: one.appPermissions.has('AttachFiles'),
      person: one.memberPermissions?.has('AttachFiles'),
      locale: one.locale,
      channel: one.channel?.isTextBased(),
      limit: one.attachmentSizeLimit,
    };
    await one.reply('seen');
  });
  await world.settled((await ask(world)).interactionId);
  expect(failures).toEqual([]);
  expect(seen).toEqual({ bot: false, person: true, locale: 'en-US', channel: true, limit: 10 * 1024 * 1024 });
});
