import {
  AttachmentBuilder,
  MessageFlags,
  Routes,
  type ChatInputCommandInteraction,
  type RESTPostAPIChannelMessageJSONBody,
} from 'discord.js';

import { encodeVoiceMessage } from '../audio/voice-message.ts';
import { missingPermissions, VOICE_MESSAGE_PERMISSIONS } from './permissions.ts';

/**
 * Sends a spoken answer to a command as a native voice message. Discord takes those on the channel only, not as an edit of
 * a deferred answer; where Parley may not post them it sends the same sound as an ordinary file.
 */
export async function sendVoiceAnswer(
  interaction: ChatInputCommandInteraction<'cached'>,
  samples: Int16Array,
): Promise<void> {
  const { file, durationSecs, waveform } = encodeVoiceMessage(samples);
  const attachment = Buffer.from(file);
  const { channel } = interaction;
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
