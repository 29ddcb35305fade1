import type { JsonObject } from '../entities.ts';

/** Discord's errors by name: HTTP status, JSON error code, text ("Opcodes and Status Codes: JSON"). */
const ERRORS = {
  unknownChannel: [404, 10_003, 'Unknown Channel'],
  unknownGuild: [404, 10_004, 'Unknown Guild'],
  unknownMember: [404, 10_007, 'Unknown Member'],
  unknownMessage: [404, 10_008, 'Unknown Message'],
  unknownUser: [404, 10_013, 'Unknown User'],
  unknownWebhook: [404, 10_015, 'Unknown Webhook'],
  unknownInteraction: [404, 10_062, 'Unknown interaction'],
  unknownCommand: [404, 10_063, 'Unknown application command'],
  unknownVoiceState: [404, 10_065, 'Unknown Voice State'],
  tooManyCommands: [400, 30_032, 'Maximum number of application commands reached (100)'],
  unauthorized: [401, 0, '401: Unauthorized'],
  notFound: [404, 0, '404: Not Found'],
  tooLarge: [413, 40_005, 'Request entity too large'],
  alreadyAcknowledged: [400, 40_060, 'Interaction has already been acknowledged.'],
  missingAccess: [403, 50_001, 'Missing Access'],
  cannotEditOthers: [403, 50_005, 'Cannot edit a message authored by another user'],
  emptyMessage: [400, 50_006, 'Cannot send an empty message'],
  missingPermissions: [403, 50_013, 'Missing Permissions'],
  wrongChannelType: [400, 50_024, 'Cannot execute action on this channel type'],
  invalidWebhookToken: [401, 50_027, 'Invalid Webhook Token'],
  invalidForm: [400, 50_035, 'Invalid Form Body'],
  threadArchived: [400, 50_083, 'Thread is archived'],
  invalidJson: [400, 50_109, 'The request body contains invalid JSON.'],
  voiceMessageContent: [400, 50_159, 'Voice messages do not support additional content.'],
  voiceMessageAttachment: [400, 50_160, 'Voice messages must have a single audio attachment.'],
  voiceMessageMetadata: [400, 50_161, 'Voice messages must have supporting metadata.'],
  voiceMessageEdit: [400, 50_162, 'Voice messages cannot be edited.'],
  voiceMessageForbidden: [403, 50_173, 'You cannot send voice messages in this channel.'],
  replyWithoutHistory: [400, 160_002, 'Cannot reply without permission to read message history'],
  threadExists: [400, 160_004, 'A thread has already been created for this message'],
} as const satisfies Record<string, readonly [number, number, string]>;

export type ErrorKind = keyof typeof ERRORS;

/** A request is answered with this error instead of being carried out. */
export class DiscordError extends Error {
  override readonly name = 'DiscordError';
  readonly status: number;
  readonly code: number;
  /** Nested by field: `{ embeds: { 0: { title: { _errors: [{ code, message }] } } } }`. */
  readonly errors: JsonObject | undefined;

  constructor(kind: ErrorKind, errors?: JsonObject) {
    const [status, code, message] = ERRORS[kind];
    super(message);
    this.status = status;
    this.code = code;
    this.errors = errors;
  }

  body(): JsonObject {
    return { message: this.message, code: this.code, ...(this.errors ? { errors: this.errors } : {}) };
  }
}
