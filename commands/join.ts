import {
  ApplicationCommandOptionType,
  ChannelType,
  MessageFlags,
  type ChatInputCommandInteraction,
  type VoiceBasedChannel,
} from 'discord.js';

import { IN_SERVERS, type SlashCommand } from '../src/discord/command.ts';
import { answer, answerWith } from '../src/discord/interactions.ts';
import { mayHearIn } from '../src/discord/permissions.ts';
import { english } from '../src/language/english.ts';
import { UserError } from '../src/language/user-error.ts';

const words = english.commands.join;

export const join: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
    options: [
      {
        type: ApplicationCommandOptionType.Channel,
        name: words.options.channel.name,
        description: words.options.channel.description,
        channelTypes: [ChannelType.GuildVoice, ChannelType.GuildStageVoice],
        required: false,
      },
    ],
  },
  ephemeral: false,
  async execute(interaction, { calls, keeping, words: theirWords }) {
    if (!keeping.knowsWhomToHear) throw new UserError({ type: 'plain', id: 'cannot-know-whom-to-hear' });
    const voiceChannel = chosenChannel(interaction);
    const textChannel = interaction.channel;
    if (!textChannel) throw new UserError({ type: 'plain', id: 'not-in-server' });
    const result = await calls.join({
      voiceChannel,
      textChannel,
      words: theirWords,
      // Said before the first sound is used, so that nobody is heard who has not been told.
      announce: (panel) => answerWith(interaction, panel),
    });
    if (result === 'already-here') await answer(interaction, theirWords.join.alreadyHere(voiceChannel.toString()));
  },
  /** On the panel of a call. */
  async pressed(interaction, action, { calls, keeping, words: theirWords }) {
    const call = await calls.ofPanel(interaction.guildId, interaction.message.id);
    if (action === 'stop') {
      call.stopAnswer();
      return;
    }
    if (keeping.hasOptedOut(interaction.user.id)) throw new UserError({ type: 'plain', id: 'not-heard' });
    if (!call.address(interaction.user.id)) throw new UserError({ type: 'plain', id: 'not-in-this-call' });
    await interaction.followUp({ content: theirWords.panel.answering, flags: MessageFlags.Ephemeral });
  },
};

function chosenChannel(interaction: ChatInputCommandInteraction<'cached'>): VoiceBasedChannel {
  const chosen =
    interaction.options.getChannel(words.options.channel.name) ??
    interaction.guild.voiceStates.cache.get(interaction.user.id)?.channel;
  if (!chosen) throw new UserError({ type: 'plain', id: 'no-voice-channel' });
  if (chosen.type !== ChannelType.GuildVoice) throw new UserError({ type: 'plain', id: 'not-a-voice-channel' });
  // Who has Parley listen can read and ask what was said.
  if (!mayHearIn(interaction.member, chosen.id)) throw new UserError({ type: 'plain', id: 'may-not-enter' });
  return chosen;
}
