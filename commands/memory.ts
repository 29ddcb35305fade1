import {
  ActionRowBuilder,
  AttachmentBuilder,
  ButtonBuilder,
  ButtonStyle,
  MessageFlags,
  type ChatInputCommandInteraction,
} from 'discord.js';

import {
  IN_SERVERS,
  customId,
  type CommandContext,
  type ComponentInteraction,
  type SlashCommand,
} from '../src/discord/command.ts';
import { answer } from '../src/discord/interactions.ts';
import { mayHearIn } from '../src/discord/permissions.ts';
import { english } from '../src/language/english.ts';
import { UserError } from '../src/language/user-error.ts';

const words = english.commands.memory;

export const memory: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
  },
  ephemeral: true,
  async execute(interaction, { calls, keeping, words: theirWords }) {
    const conversationId = readable(interaction, calls);
    const facts = await keeping.describe(conversationId);
    if (facts.turns === 0 || facts.oldestAtMs === undefined || facts.newestAtMs === undefined) {
      await answer(interaction, theirWords.memory.nothing);
      return;
    }
    const copy = new ButtonBuilder()
      .setCustomId(customId(words, 'copy'))
      .setLabel(theirWords.memory.takeAway)
      .setStyle(ButtonStyle.Secondary);
    await interaction.editReply({
      content: theirWords.memory.kept({
        turns: facts.turns,
        oldest: new Date(facts.oldestAtMs),
        newest: new Date(facts.newestAtMs),
        people: facts.people.map(({ id }) => `<@${id}>`),
        speechSeconds: Math.round(facts.speechMs / 1000),
        hasSummary: facts.hasSummary,
        retentionDays: keeping.retentionDays,
      }),
      components: [new ActionRowBuilder<ButtonBuilder>().addComponents(copy)],
    });
  },
  async pressed(interaction, _action, { calls, keeping, words: theirWords }) {
    const text = await keeping.export(readable(interaction, calls));
    const file = new AttachmentBuilder(Buffer.from(text), { name: theirWords.memory.fileName });
    await interaction.followUp({ files: [file], flags: MessageFlags.Ephemeral });
  },
};

/** The channel's conversation, or that of the call whose words appear in it, for those who may hear that one. */
function readable(
  { guildId, channelId, member }: ChatInputCommandInteraction<'cached'> | ComponentInteraction<'cached'>,
  calls: CommandContext['calls'],
): string {
  const conversationId = calls.conversationOf(guildId, channelId);
  if (conversationId !== channelId && !mayHearIn(member, calls.channelOf(guildId, conversationId))) {
    throw new UserError({ type: 'plain', id: 'may-not-enter' });
  }
  return conversationId;
}
