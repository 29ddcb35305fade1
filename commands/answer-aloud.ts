import { ApplicationCommandType } from 'discord.js';

import { IN_SERVERS, type MessageCommand } from '../src/discord/command.ts';
import { checkHeard, soundOf } from '../src/discord/transcription.ts';
import { showAnswer } from '../src/discord/voice-message.ts';
import { english } from '../src/language/english.ts';

export const answerAloud: MessageCommand = {
  kind: 'message',
  data: {
    type: ApplicationCommandType.Message,
    name: english.messageCommands.answerAloud,
    ...IN_SERVERS,
  },
  ephemeral: false,
  async execute(interaction, { calls, chat, keeping, speechOf, signal, words }) {
    const { targetMessage, guildId, channelId } = interaction;
    const { author, member } = targetMessage;
    checkHeard(author.id, interaction.user.id, keeping);
    await chat.ask(
      {
        turnId: `interaction:${interaction.id}`,
        guildId,
        shownIn: channelId,
        conversationId: calls.conversationOf(guildId, channelId),
        author: { id: author.id, name: member?.displayName ?? author.displayName },
        prompt: targetMessage.content.trim() || undefined,
        speech: await speechOf(soundOf(targetMessage), signal),
        output: 'voice',
      },
      (reply) => showAnswer(interaction, reply, words),
      signal,
    );
  },
};
