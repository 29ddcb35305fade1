import { MAX_TURNS } from '../src/conversation/turn-stats.ts';
import { IN_SERVERS, type SlashCommand } from '../src/discord/command.ts';
import { answer } from '../src/discord/interactions.ts';
import { english } from '../src/language/english.ts';

const words = english.commands.stats;

export const stats: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
  },
  ephemeral: true,
  async execute(interaction, { calls, stats: turns, words: theirWords }) {
    const facts = turns.of(calls.conversationOf(interaction.guildId, interaction.channelId));
    await answer(interaction, facts ? theirWords.stats.text(facts, MAX_TURNS) : theirWords.stats.nothing);
  },
};
