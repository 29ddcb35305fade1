import { ApplicationCommandOptionType } from 'discord.js';

import { IN_SERVERS, type SlashCommand } from '../src/discord/command.ts';
import { checkHeard } from '../src/discord/transcription.ts';
import { showAnswer } from '../src/discord/voice-message.ts';
import { english } from '../src/language/english.ts';
import { UserError } from '../src/language/user-error.ts';

const words = english.commands.ask;

/** Longer prompts belong in a file; Discord itself takes up to 6,000 characters. */
const MAX_PROMPT_LENGTH = 4000;

export const ask: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.prompt.name,
        description: words.options.prompt.description,
        required: true,
      },
      {
        type: ApplicationCommandOptionType.Attachment,
        name: words.options.file.name,
        description: words.options.file.description,
        required: false,
      },
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.reply.name,
        description: words.options.reply.description,
        required: false,
        choices: [
          { name: english.replyChoices.text, value: 'text' },
          { name: english.replyChoices.voice, value: 'voice' },
        ],
      },
    ],
  },
  ephemeral: false,
  async execute(interaction, { calls, chat, keeping, speechOf, signal, words: theirWords }) {
    const prompt = interaction.options.getString(words.options.prompt.name, true).trim();
    const file = interaction.options.getAttachment(words.options.file.name);
    if (prompt === '' && !file) throw new UserError({ type: 'plain', id: 'prompt-empty' });
    if (prompt.length > MAX_PROMPT_LENGTH) throw new UserError({ type: 'plain', id: 'prompt-too-long' });

    if (file) checkHeard(interaction.user.id, interaction.user.id, keeping);

    const output = interaction.options.getString(words.options.reply.name) === 'voice' ? 'voice' : 'text';
    await chat.ask(
      {
        turnId: `interaction:${interaction.id}`,
        guildId: interaction.guildId,
        shownIn: interaction.channelId,
        conversationId: calls.conversationOf(interaction.guildId, interaction.channelId),
        author: { id: interaction.user.id, name: interaction.member.displayName },
        prompt: prompt || undefined,
        speech: file ? await speechOf(file, signal) : undefined,
        output,
      },
      (reply) => showAnswer(interaction, reply, theirWords),
      signal,
    );
  },
};
