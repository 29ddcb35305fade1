import { ApplicationCommandType } from 'discord.js';

import { IN_SERVERS, type MessageCommand } from '../src/discord/command.ts';
import { checkHeard, soundOf } from '../src/discord/transcription.ts';
import { english } from '../src/language/english.ts';

export const transcribeMessage: MessageCommand = {
  kind: 'message',
  data: {
    type: ApplicationCommandType.Message,
    name: english.messageCommands.transcribe,
    ...IN_SERVERS,
  },
  ephemeral: false,
  async execute(interaction, { calls, keeping, transcriptions }) {
    const source = interaction.targetMessage;
    checkHeard(source.author.id, interaction.user.id, keeping);
    await transcriptions.start(
      interaction,
      { file: soundOf(source), source, language: undefined, format: undefined },
      calls.conversationOf(interaction.guildId, interaction.channelId),
    );
  },
};
