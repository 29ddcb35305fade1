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
import { hasIn } from '../src/discord/permissions.ts';
import { english } from '../src/language/english.ts';
import { UserError } from '../src/language/user-error.ts';
import type { Words } from '../src/language/words.ts';

const words = english.commands.forget;

const SCOPES = ['channel', 'me', 'server'] as const;
type Scope = (typeof SCOPES)[number];

/** What is to be forgotten. */
interface Target {
  readonly scope: Scope;
  /** For `channel`: the channel's own, or that of the call whose words appear in it. */
  readonly conversationId: string;
}

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
  async execute(interaction, { calls, words: theirWords }) {
    const scope = scopeOf(interaction.options.getString(words.options.what.name, true));
    const target: Target = { scope, conversationId: calls.conversationOf(interaction.guildId, interaction.channelId) };
    checkRight(interaction, target, calls);
    await interaction.editReply(question(target, theirWords));
  },
  async pressed(interaction, action, context) {
    const { words: theirWords, calls } = context;
    if (action === 'ask') {
      const { conversationId } = await calls.ofPanel(interaction.guildId, interaction.message.id);
      const target: Target = { scope: 'channel', conversationId };
      checkRight(interaction, target, calls);
      await interaction.followUp({ ...question(target, theirWords), flags: MessageFlags.Ephemeral });
      return;
    }
    if (action === 'keep') {
      await interaction.editReply({ content: theirWords.forget.kept, components: [] });
      return;
    }
    const [scope = '', conversationId = interaction.channelId] = action.split(':');
    const target: Target = { scope: scopeOf(scope), conversationId };
    // Rights may have changed since the question was asked.
    checkRight(interaction, target, calls);
    const { turns } = await forgetIn(target, interaction, context);
    await interaction.editReply({ content: theirWords.forget.done(turns), components: [] });
  },
};

/** Asks once more. The button knows what was asked about: the call whose words appear here may end before it is pressed. */
function question({ scope, conversationId }: Target, { forget: texts }: Words) {
  const yes = new ButtonBuilder()
    .setCustomId(customId(words, `${scope}:${conversationId}`))
    .setLabel(texts.yes)
    .setStyle(ButtonStyle.Danger);
  const no = new ButtonBuilder()
    .setCustomId(customId(words, 'keep'))
    .setLabel(texts.no)
    .setStyle(ButtonStyle.Secondary);
  return { content: texts.confirm[scope], components: [new ActionRowBuilder<ButtonBuilder>().addComponents(yes, no)] };
}

function forgetIn(
  { scope, conversationId }: Target,
  { guildId, user }: ComponentInteraction<'cached'>,
  { keeping }: CommandContext,
): Promise<{ turns: number }> {
  switch (scope) {
    case 'channel':
      return keeping.forgetConversation(conversationId);
    case 'me':
      return keeping.forgetPerson(user.id, guildId);
    case 'server':
      return keeping.forgetGuild(guildId);
  }
}

/** What concerns others needs a right over them. */
function checkRight(
  interaction: ChatInputCommandInteraction<'cached'> | ComponentInteraction<'cached'>,
  { scope, conversationId }: Target,
  calls: CommandContext['calls'],
): void {
  const { memberPermissions, member, guildId, channelId } = interaction;
  const mayManage =
    conversationId === channelId
      ? memberPermissions.has(PermissionFlagsBits.ManageMessages)
      : hasIn(member, calls.channelOf(guildId, conversationId), ['ManageMessages']);
  if (scope === 'channel' && !mayManage) {
    throw new UserError({ type: 'plain', id: 'needs-manage-messages' });
  }
  if (scope === 'server' && !memberPermissions.has(PermissionFlagsBits.ManageGuild)) {
    throw new UserError({ type: 'plain', id: 'needs-manage-server' });
  }
}

function scopeOf(value: string): Scope {
  return SCOPES.find((scope) => scope === value) ?? 'me';
}
