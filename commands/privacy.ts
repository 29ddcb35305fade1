import { ActionRowBuilder, ButtonBuilder, ButtonStyle, type InteractionEditReplyOptions } from 'discord.js';

import { IN_SERVERS, customId, type SlashCommand } from '../src/discord/command.ts';
import { english } from '../src/language/english.ts';
import { UserError } from '../src/language/user-error.ts';
import type { Words } from '../src/language/words.ts';

const words = english.commands.privacy;

export const privacy: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
  },
  ephemeral: true,
  async execute(interaction, { keeping, words: theirWords }) {
    if (!keeping.knowsWhomToHear) throw new UserError({ type: 'plain', id: 'memory-away' });
    await interaction.editReply(state(keeping.mayHear(interaction.user.id), theirWords));
  },
  async pressed(interaction, action, { keeping, words: theirWords }) {
    await keeping.setOptedOut(interaction.user.id, action === 'out');
    await interaction.editReply(state(keeping.mayHear(interaction.user.id), theirWords));
  },
};

/** How it stands, with the button that changes it. */
function state(heard: boolean, { privacy: texts }: Words): InteractionEditReplyOptions {
  const change = new ButtonBuilder()
    .setCustomId(customId(words, heard ? 'out' : 'in'))
    .setLabel(heard ? texts.optOut : texts.optIn)
    .setStyle(heard ? ButtonStyle.Danger : ButtonStyle.Success);
  return {
    content: heard ? texts.heard : texts.notHeard,
    components: [new ActionRowBuilder<ButtonBuilder>().addComponents(change)],
  };
}
