import { PermissionFlagsBits, type Attachment, type Message } from 'discord.js';

import type { Keeping } from '../conversation/keeping.ts';
import { UserError } from '../language/user-error.ts';
import type { CommandContext, ComponentInteraction } from './command.ts';
import { attachmentsOf } from './transcription-wish.ts';

/** Somebody has used the button of a transcription. */
export function cancelTranscription(
  interaction: ComponentInteraction<'cached'>,
  action: string,
  { jobs }: CommandContext,
): void {
  const mayManage = interaction.memberPermissions.has(PermissionFlagsBits.ManageMessages);
  jobs.cancel(action.replace(/^cancel-/, ''), interaction.user.id, mayManage);
}

/** The attachment of a message that has sound, also in a message that was forwarded. @throws {UserError} */
export function soundOf(message: Message): Attachment {
  const all = attachmentsOf(message);
  const sound = all.find(({ contentType }) => /^(audio|video)\//.test(contentType ?? '')) ?? all[0];
  if (!sound) throw new UserError({ type: 'plain', id: 'no-attachment' });
  return sound;
}

/** The sound of somebody who does not want to be heard stays closed, whoever asks. @throws {UserError} */
export function checkHeard(authorId: string, askedById: string, keeping: Keeping): void {
  if (!keeping.hasOptedOut(authorId)) return;
  throw new UserError({ type: 'plain', id: authorId === askedById ? 'opted-out' : 'author-opted-out' });
}
