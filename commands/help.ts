import { IN_SERVERS, type SlashCommand } from '../src/discord/command.ts';
import { answer } from '../src/discord/interactions.ts';
import { english } from '../src/language/english.ts';

const words = english.commands.help;

export const help: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
  },
  ephemeral: true,
  async execute(interaction, { commands, words: theirWords }) {
    await answer(
      interaction,
      theirWords.help.text(commands.flatMap(({ kind, data }) => (kind === 'slash' ? [data] : []))),
    );
  },
};
