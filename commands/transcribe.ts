import { ApplicationCommandOptionType } from 'discord.js';

import { IN_SERVERS, type SlashCommand } from '../src/discord/command.ts';
import { cancelTranscription, checkHeard } from '../src/discord/transcription.ts';
import { TRANSCRIPT_FORMATS } from '../src/files/transcript.ts';
import { english } from '../src/language/english.ts';
import { UserError } from '../src/language/user-error.ts';

const words = english.commands.transcribe;

export const transcribe: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
    options: [
      {
        type: ApplicationCommandOptionType.Attachment,
        name: words.options.file.name,
        description: words.options.file.description,
        required: true,
      },
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.language.name,
        description: words.options.language.description,
        required: false,
      },
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.format.name,
        description: words.options.format.description,
        required: false,
        choices: TRANSCRIPT_FORMATS.map((value) => ({ name: value, value })),
      },
    ],
  },
  ephemeral: false,
  async execute(interaction, context) {
    const { options, user } = interaction;
    const format = options.getString(words.options.format.name);
    const { calls, keeping, transcriptions } = context;
    checkHeard(user.id, user.id, keeping);
    await transcriptions.start(
      interaction,
      {
        file: options.getAttachment(words.options.file.name, true),
        source: undefined,
        language: languageOf(options.getString(words.options.language.name)),
        format: TRANSCRIPT_FORMATS.find((one) => one === format),
      },
      calls.conversationOf(interaction.guildId, interaction.channelId),
    );
  },
  async pressed(interaction, action, context) {
    cancelTranscription(interaction, action, context);
  },
};

/** An ISO 639-1 code, as the model's API wants it. @throws {UserError} */
function languageOf(text: string | null): string | undefined {
  const code = text?.trim().toLowerCase();
  if (!code) return undefined;
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });
  if (!/^[a-z]{2}$/.test(code) || names.of(code) === undefined) {
    throw new UserError({ type: 'plain', id: 'unknown-language' });
  }
  return code;
}
