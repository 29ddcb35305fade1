import { ApplicationIntegrationType, InteractionContextType } from 'discord.js';

import type { SlashCommand } from '../src/discord/command.ts';
import { answer } from '../src/discord/interactions.ts';
import { english } from '../src/language/english.ts';

const words = english.commands.help;

export const help: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    contexts: [InteractionContextType.Guild],
    integrationTypes: [ApplicationIntegrationType.GuildInstall],
  },
  ephemeral: true,
  async execute(interaction, { commands, words: theirWords }) {
    await answer(
      interaction,
      theirWords.help.text(commands.flatMap(({ kind, data }) => (kind === 'slash' ? [data] : []))),
    );
  },
};
