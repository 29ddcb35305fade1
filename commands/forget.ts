import {
  ActionRowBuilder,
  ApplicationCommandOptionType,
  ButtonBuilder,
  ButtonStyle,
  MessageFlags,
  PermissionFlagsBits,
  type ChatInputCommandInteraction,
} from 'discord.js';

import {
  IN_SERVERS,
  customId,
  type CommandContext,
  type ComponentInteraction,
  type SlashCommand,
} from '../src/discord/command.ts';
import { english } from '../src/language/english.ts';
import { UserError } from '../src/language/user-error.ts';
import type { Words } from '../src/language/words.ts';

const words = english.commands.forget;

const SCOPES = ['channel', 'me', 'server'] as const;
type Scope = (typeof SCOPES)[number];

export const forget: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.what.name,
        description: words.options.what.description,
        required: true,
        choices: SCOPES.map((scope) => ({ name: english.forget.choices[scope], value: scope })),
      },
    ],
  },
  ephemeral: true,
  async execute(interaction, { words: theirWords }) {
    const scope = scopeOf(interaction.options.getString(words.options.what.name, true));
    checkRight(interaction, scope);
    await interaction.editReply(question(scope, theirWords));
  },
  async pressed(interaction, action, context) {
    const { words: theirWords, calls } = context;
    if (action === 'ask') {
      await calls.ofPanel(interaction.guildId, interaction.message.id);
      checkRight(interaction, 'channel');
      await interaction.followUp({ ...question('channel', theirWords), flags: MessageFlags.Ephemeral });
      return;
    }
    if (action === 'keep') {
      await interaction.editReply({ content: theirWords.forget.kept, components: [] });
      return;
    }
    const scope = scopeOf(action);
    // Rights may have changed since the question was asked.
    checkRight(interaction, scope);
    const { turns } = await forgetIn(scope, interaction, context);
    await interaction.editReply({ content: theirWords.forget.done(turns), components: [] });
  },
};

/** Asks once more. */
function question(scope: Scope, { forget: texts }: Words) {
  const yes = new ButtonBuilder().setCustomId(customId(words, scope)).setLabel(texts.yes).setStyle(ButtonStyle.Danger);
  const no = new ButtonBuilder()
    .setCustomId(customId(words, 'keep'))
    .setLabel(texts.no)
    .setStyle(ButtonStyle.Secondary);
  return { content: texts.confirm[scope], components: [new ActionRowBuilder<ButtonBuilder>().addComponents(yes, no)] };
}

function forgetIn(
  scope: Scope,
  { guildId, channelId, user }: ComponentInteraction<'cached'>,
  { calls, keeping }: CommandContext,
): Promise<{ turns: number }> {
  switch (scope) {
    case 'channel':
      return keeping.forgetConversation(calls.conversationOf(guildId, channelId));
    case 'me':
      return keeping.forgetPerson(user.id, guildId);
    case 'server':
      return keeping.forgetGuild(guildId);
  }
}

/** What concerns others needs a right over them. */
function checkRight(
  { memberPermissions }: ChatInputCommandInteraction<'cached'> | ComponentInteraction<'cached'>,
  scope: Scope,
): void {
  if (scope === 'channel' && !memberPermissions.has(PermissionFlagsBits.ManageMessages)) {
    throw new UserError({ type: 'plain', id: 'needs-manage-messages' });
  }
  if (scope === 'server' && !memberPermissions.has(PermissionFlagsBits.ManageGuild)) {
    throw new UserError({ type: 'plain', id: 'needs-manage-server' });
  }
}

function scopeOf(value: string): Scope {
  return SCOPES.find((scope) => scope === value) ?? 'me';
}
