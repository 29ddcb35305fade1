import { ApplicationCommandType } from 'discord.js';

import { IN_SERVERS, type MessageCommand } from '../src/discord/command.ts';
import { soundOf } from '../src/discord/transcription.ts';
import { english } from '../src/language/english.ts';

export const transcribeMessage: MessageCommand = {
  kind: 'message',
  data: {
    type: ApplicationCommandType.Message,
    name: english.messageCommands.transcribe,
    ...IN_SERVERS,
  },
  ephemeral: false,
  async execute(interaction, { calls, transcriptions }) {
    const source = interaction.targetMessage;
    await transcriptions.start(
      interaction,
      { file: soundOf(source), source, language: undefined, format: undefined },
      calls.conversationOf(interaction.guildId, interaction.channelId),
    );
  },
};
