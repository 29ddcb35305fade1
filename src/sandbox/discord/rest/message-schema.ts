import { z } from 'zod';
import type { AllowedMentions } from '../mentions.ts';
import { messageComponentsSchema } from './component-schema.ts';
import { embedsSchema } from './embed-schema.ts';
import { integer, issue, list, snowflake, text } from './form.ts';

/** Points of a voice message's waveform. */
const MAX_WAVEFORM_POINTS = 256;

const attachment = z.looseObject({
  /** The n of `files[n]`, or on an edit the id of a file that stays. */
  id: snowflake,
  filename: text(1, 260).nullish(),
  title: text(0, 1024).nullish(),
  description: text(0, 1024).nullish(),
  duration_secs: z.number().min(0).nullish(),
  waveform: z
    .string()
    .superRefine((value, context) => {
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value) || Buffer.from(value, 'base64').length > MAX_WAVEFORM_POINTS) {
        const message = `Waveform must be base64 of at most ${MAX_WAVEFORM_POINTS} bytes.`;
        context.addIssue(issue('ATTACHMENT_INVALID_WAVEFORM', message));
      }
    })
    .nullish(),
});

export type AttachmentForm = z.output<typeof attachment>;

const allowedMentions = z
  .looseObject({
    parse: z.array(z.enum(['users', 'roles', 'everyone'])).nullish(),
    users: list(snowflake, 0, 100).nullish(),
    roles: list(snowflake, 0, 100).nullish(),
    replied_user: z.boolean().nullish(),
  })
  .superRefine(({ parse, users, roles }, context) => {
    for (const [kind, ids] of [['users', users] as const, ['roles', roles] as const]) {
      if (parse?.includes(kind) && ids && ids.length > 0) {
        const message = `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`;
        context.addIssue(issue('MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE', message));
      }
    }
  })
  .transform(({ parse, users, roles, replied_user: repliedUser }): AllowedMentions => ({
    parse: parse ?? [],
    users: users ?? [],
    roles: roles ?? [],
    repliedUser: repliedUser ?? false,
  }));

const content = text(0, 2000);

/** The body of a message that is being sent. */
export const createMessageSchema = z.looseObject({
  content: content.nullish(),
  nonce: z.union([text(0, 25), z.int()]).nullish(),
  enforce_nonce: z.boolean().nullish(),
  tts: z.boolean().nullish(),
  embeds: embedsSchema.nullish(),
  allowed_mentions: allowedMentions.nullish(),
  message_reference: z
    .looseObject({
      type: integer(0, 0).nullish(),
      message_id: snowflake,
      channel_id: snowflake.nullish(),
      fail_if_not_exists: z.boolean().nullish(),
    })
    .nullish(),
  components: messageComponentsSchema.nullish(),
  attachments: list(attachment, 0, 10).nullish(),
  flags: z.int().nullish(),
});

/** The body of an edit: what is absent stays. */
export const editMessageSchema = z.looseObject({
  content: content.nullish(),
  embeds: embedsSchema.nullish(),
  allowed_mentions: allowedMentions.nullish(),
  components: messageComponentsSchema.nullish(),
  attachments: list(attachment, 0, 10).nullish(),
  flags: z.int().nullish(),
});

export type CreateMessageForm = z.output<typeof createMessageSchema>;
export type EditMessageForm = z.output<typeof editMessageSchema>;
