import { ActionRowBuilder, ButtonBuilder, ButtonStyle, MessageFlags } from 'discord.js';

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
    await keeping.setOptedOut(interaction.user.id, action !== 'in');
    const shown = state(keeping.mayHear(interaction.user.id), theirWords);
    // The panel of a call is everybody's: what somebody chose there is told to them alone.
    if (action === 'mute') await interaction.followUp({ ...shown, flags: MessageFlags.Ephemeral });
    else await interaction.editReply(shown);
  },
};

/** How it stands, with the button that changes it. */
function state(heard: boolean, { privacy: texts }: Words) {
  const change = new ButtonBuilder()
    .setCustomId(customId(words, heard ? 'out' : 'in'))
    .setLabel(heard ? texts.optOut : texts.optIn)
    .setStyle(heard ? ButtonStyle.Danger : ButtonStyle.Success);
  return {
    content: heard ? texts.heard : texts.notHeard,
    components: [new ActionRowBuilder<ButtonBuilder>().addComponents(change)],
  };
}
