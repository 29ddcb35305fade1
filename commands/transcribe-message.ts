import { ApplicationCommandType } from 'discord.js';

import { IN_SERVERS, type MessageCommand } from '../src/discord/command.ts';
import { soundOf, transcribeTo } from '../src/discord/transcription.ts';
import { english } from '../src/language/english.ts';

export const transcribeMessage: MessageCommand = {
  kind: 'message',
  data: {
    type: ApplicationCommandType.Message,
    name: english.messageCommands.transcribe,
    ...IN_SERVERS,
  },
  ephemeral: false,
  async execute(interaction, context) {
    const file = soundOf(interaction.targetMessage);
    await transcribeTo(interaction, { file, language: undefined, format: undefined }, context);
  },
};
