import { IN_SERVERS, type SlashCommand } from '../src/discord/command.ts';
import { answer } from '../src/discord/interactions.ts';
import { english } from '../src/language/english.ts';
import { UserError } from '../src/language/user-error.ts';

const words = english.commands.leave;

export const leave: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
  },
  ephemeral: false,
  async execute(interaction, { calls, words: theirWords }) {
    if (!(await calls.leave(interaction.guildId))) throw new UserError({ type: 'plain', id: 'not-in-call' });
    await answer(interaction, theirWords.call.gone.left);
  },
  /** On the panel of a call. */
  async pressed(interaction, _action, { calls, words: theirWords }) {
    await calls.ofPanel(interaction.guildId, interaction.message.id);
    if (!(await calls.leave(interaction.guildId))) throw new UserError({ type: 'plain', id: 'not-in-call' });
    await interaction.followUp({ content: theirWords.call.gone.left });
  },
};
