import { ApplicationCommandOptionType } from 'discord.js';

import { IN_SERVERS, type SlashCommand } from '../src/discord/command.ts';
import { answer } from '../src/discord/interactions.ts';
import { english } from '../src/language/english.ts';

const words = english.commands.voice;

export const voice: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.name.name,
        description: words.options.name.description,
        required: false,
        autocomplete: true,
      },
    ],
  },
  // Everybody who hears the voice may know who changed it.
  ephemeral: false,
  async execute(interaction, { calls, settings, words: theirWords }) {
    const { guildId, channelId } = interaction;
    const place = calls.conversationOf(guildId, channelId);
    const chosen = interaction.options.getString(words.options.name.name)?.trim().toLowerCase();
    if (chosen) {
      const name = settings.voices.find((one) => one.toLowerCase() === chosen) ?? chosen;
      await settings.choose(place, guildId, { voice: name });
      await answer(interaction, theirWords.voice.changed(name));
    } else {
      const present = calls.settingsOf(guildId, channelId) ?? (await settings.load(place));
      await answer(interaction, theirWords.voice.present(present.voice, settings.voices));
    }
  },
  /** On the panel of a call. */
  async pressed(interaction, _action, { calls, settings, words: theirWords }) {
    const call = await calls.ofPanel(interaction.guildId, interaction.message.id);
    const [name] = interaction.isStringSelectMenu() ? interaction.values : [];
    if (name === undefined || name === call.settings.voice) return;
    await settings.choose(call.conversationId, interaction.guildId, { voice: name });
    await interaction.followUp({ content: theirWords.voice.changed(name) });
  },
  offer: (_interaction, { settings }) => settings.voices,
};
