import {
  AttachmentBuilder,
  MessageFlags,
  Routes,
  type ChatInputCommandInteraction,
  type MessageContextMenuCommandInteraction,
  type RESTPostAPIChannelMessageJSONBody,
} from 'discord.js';

import { encodeVoiceMessage } from '../audio/voice-message.ts';
import type { Answer } from '../conversation/chat.ts';
import { UserError } from '../language/user-error.ts';
import type { Words } from '../language/words.ts';
import { answer } from './interactions.ts';
import { FILE_PERMISSIONS, missingPermissions, VOICE_MESSAGE_PERMISSIONS } from './permissions.ts';

/**
 * Sends a spoken answer to a command as a native voice message. Discord takes those on the channel only, not as an edit of
 * a deferred answer; where Parley may not post them it sends the same sound as an ordinary file.
 * @throws {UserError} that names the permission without which not even that can be.
 */
export async function sendVoiceAnswer(
  interaction: ChatInputCommandInteraction<'cached'> | MessageContextMenuCommandInteraction<'cached'>,
  samples: Int16Array,
): Promise<void> {
  const { channel } = interaction;
  const missing = channel ? missingPermissions(channel, FILE_PERMISSIONS) : [];
  if (channel && missing.length > 0) {
    throw new UserError({ type: 'permissions', channelName: channel.toString(), missing });
  }
  const { file, durationSecs, waveform } = encodeVoiceMessage(samples);
  const attachment = Buffer.from(file);
  if (channel && missingPermissions(channel, VOICE_MESSAGE_PERMISSIONS).length === 0) {
    const body = {
      flags: MessageFlags.IsVoiceMessage,
      attachments: [{ id: '0', filename: 'voice-message.ogg', duration_secs: durationSecs, waveform }],
    } satisfies RESTPostAPIChannelMessageJSONBody & { attachments: readonly object[] };
    // By hand, because discord.js would call the file `application/ogg`, and Discord wants `audio/…`.
    await interaction.client.rest.post(Routes.channelMessages(channel.id), {
      body,
      files: [{ name: 'voice-message.ogg', data: attachment, contentType: 'audio/ogg' }],
    });
    return;
  }
  await interaction.followUp({ files: [new AttachmentBuilder(attachment, { name: 'answer.ogg' })] });
}

/** Shows the answer to a question that was asked by command: its words, and then its sound, where it has any. */
export async function showAnswer(
  interaction: ChatInputCommandInteraction<'cached'> | MessageContextMenuCommandInteraction<'cached'>,
  { text, memoryAway, samples }: Answer,
  words: Words,
): Promise<void> {
  await answer(interaction, text || words.ask.noWords);
  if (memoryAway) await interaction.followUp({ content: words.memory.away });
  if (samples.length > 0) await sendVoiceAnswer(interaction, samples);
}
