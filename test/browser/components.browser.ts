import {
  ApplicationCommandType,
  ButtonStyle,
  Client,
  ComponentType,
  Events,
  GatewayIntentBits,
  type Interaction,
  MessageFlags,
  TextInputStyle,
} from 'discord.js';
import { expect, test } from 'vitest';

import { SandboxClient } from '../../src/sandbox/control/client.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { violationsOf } from './support/axe.ts';
import { TestBrowser } from './support/browser.ts';

/** A bot with one of everything that Discord's client can show, made with the same library as Parley. */
async function startBot(sandbox: Sandbox): Promise<Client<true> & AsyncDisposable> {
  const client = new Client({ intents: [GatewayIntentBits.Guilds], rest: { api: sandbox.discord.apiUrl } });
  const ready = new Promise<Client<true>>((resolve) => client.once(Events.ClientReady, resolve));
  await client.login(sandbox.discord.token);
  const bot = await ready;
  bot.on(Events.InteractionCreate, (interaction) => void answer(sandbox, interaction));
  await bot.application.commands.set([
    { name: 'card', description: 'A card with a button and a menu' },
    { name: 'Transcribe', type: ApplicationCommandType.Message },
  ]);
  return Object.assign(bot, { [Symbol.asyncDispose]: () => client.destroy() });
}

async function answer(sandbox: Sandbox, interaction: Interaction): Promise<void> {
  if (interaction.isChatInputCommand()) {
    await interaction.reply({
      embeds: [
        {
          title: 'A card',
          description: 'with **words**',
          color: 0x4c51e0,
          fields: [{ name: 'Field', value: 'Value' }],
        },
      ],
      components: [
        {
          type: ComponentType.ActionRow,
          components: [
            { type: ComponentType.Button, style: ButtonStyle.Primary, label: 'Rename', custom_id: 'rename' },
          ],
        },
        {
          type: ComponentType.ActionRow,
          components: [
            {
              type: ComponentType.StringSelect,
              custom_id: 'menu',
              placeholder: 'A menu',
              options: [
                { label: 'Red', value: 'red' },
                { label: 'Blue', value: 'blue' },
                { label: 'Green', value: 'green', default: true },
              ],
            },
          ],
        },
      ],
    });
  } else if (interaction.isButton()) {
    await interaction.showModal({
      title: 'Rename',
      customId: 'rename',
      components: [
        {
          type: ComponentType.ActionRow,
          components: [
            { type: ComponentType.TextInput, customId: 'name', style: TextInputStyle.Short, label: 'New name' },
          ],
        },
      ],
    });
  } else if (interaction.isModalSubmit()) {
    await interaction.reply({
      content: `Named ${interaction.fields.getTextInputValue('name')}.`,
      flags: MessageFlags.Ephemeral,
    });
  } else if (interaction.isStringSelectMenu()) {
    await interaction.update({ content: `Chosen: ${interaction.values.join()}` });
  } else if (interaction.isMessageContextMenuCommand()) {
    await interaction.deferReply({ flags: MessageFlags.Ephemeral });
    const file = await fetch(interaction.targetMessage.attachments.first()?.url ?? '');
    const form = new FormData();
    form.set('model', 'gpt-4o-transcribe');
    form.set('file', new File([await file.arrayBuffer()], 'sound.wav'));
    const headers = { authorization: `Bearer ${sandbox.model.apiKey}` };
    const written = await fetch(`${sandbox.model.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers,
      body: form,
    });
    const { text } = Object(await written.json());
    await interaction.editReply(`It says: ${String(text)}`);
  }
}

test('cards, buttons, menus, forms and message commands work as in Discord', async () => {
  await using sandbox = await Sandbox.start();
  await using _bot = await startBot(sandbox);
  await using client = await SandboxClient.connect(sandbox.controlUrl);
  await using browser = await TestBrowser.start();
  const { page, complaints } = await browser.open(sandbox.pageUrl);
  const log = page.getByRole('log');
  const composer = page.getByRole('textbox', { name: 'Message general' });

  await composer.fill('/card');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Run' }).click();
  await log.getByText('A card', { exact: true }).waitFor();
  await log.getByRole('button', { name: 'Rename' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rename' });
  await dialog.getByLabel('New name').fill('Ada');
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violationsOf(page), colorScheme).toEqual([]);
  }
  await dialog.getByRole('button', { name: 'Submit' }).click();
  await log.getByText('Named Ada.').waitFor();
  await log.getByText('Only you can see this').waitFor();
  const menu = log.getByRole('combobox', { name: 'A menu' });
  expect(await menu.inputValue(), 'the choice that holds').toBe('green');
  await menu.selectOption('blue');
  await log.getByText('Chosen: blue').waitFor();
  await log.getByText('(edited)').waitFor();

  const { wav } = await client.synthesize({ text: 'The sea is calm tonight.', voice: 'slt' });
  const [alice] = sandbox.people;
  const [text] = sandbox.channels;
  const attachments = [{ name: 'sea.wav', contentType: 'audio/wav', data: wav }];
  await client.sendMessage({ personId: alice?.id ?? '', channelId: text?.id ?? '', content: 'Listen.', attachments });
  await log.getByText('Listen.').click({ button: 'right' });
  await log.getByRole('button', { name: 'Transcribe' }).last().click();
  await log.getByText(/It says: .*sea is calm/i).waitFor();
  expect(complaints).toEqual([]);
});
