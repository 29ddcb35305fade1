import { ApplicationCommandOptionType } from 'discord.js';

import { ANSWER_MODES } from '../src/conversation/channel-settings.ts';
import type { AnswerMode } from '../src/conversation/ports.ts';
import { IN_SERVERS, type SlashCommand } from '../src/discord/command.ts';
import { answer } from '../src/discord/interactions.ts';
import { english } from '../src/language/english.ts';

const words = english.commands.answers;

export const answers: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.whom.name,
        description: words.options.whom.description,
        required: false,
        choices: ANSWER_MODES.map((value) => ({ name: english.answers.option(value), value })),
      },
    ],
  },
  // Whom it answers concerns everybody in the channel.
  ephemeral: false,
  async execute(interaction, { calls, settings, words: theirWords }) {
    const { guildId, channelId } = interaction;
    const place = calls.conversationOf(guildId, channelId);
    const mode = modeOf(interaction.options.getString(words.options.whom.name));
    if (mode) {
      await settings.choose(place, guildId, { answers: mode });
      await answer(interaction, theirWords.answers.changed(mode));
    } else {
      const present = calls.settingsOf(guildId, channelId) ?? (await settings.load(place));
      await answer(interaction, theirWords.answers.present(present.answers));
    }
  },
  /** On the panel of a call. */
  async pressed(interaction, _action, { calls, settings, words: theirWords }) {
    const call = await calls.ofPanel(interaction.guildId, interaction.message.id);
    const mode = modeOf(interaction.isStringSelectMenu() ? interaction.values[0] : undefined);
    if (!mode || mode === call.settings.answers) return;
    await settings.choose(call.conversationId, interaction.guildId, { answers: mode });
    await interaction.followUp({ content: theirWords.answers.changed(mode) });
  },
};

function modeOf(value: string | null | undefined): AnswerMode | undefined {
  return ANSWER_MODES.find((mode) => mode === value);
}
