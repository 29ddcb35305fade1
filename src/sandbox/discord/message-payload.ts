import type { AttachmentStore } from './attachments.ts';
import type { JsonObject, Message, MessageInteraction } from './entities.ts';
import { channelPayload, partialMemberPayload, userPayload } from './payloads.ts';
import { snowflakeTimeMs } from './snowflake.ts';
import type { World } from './world.ts';

/** A message as the REST API answers it. */
export function messagePayload(world: World, store: AttachmentStore, message: Message): JsonObject {
  const { reference, interaction } = message;
  const referenced = reference && world.findChannel(reference.channelId)?.channel.messages.get(reference.messageId);
  const thread =
    message.threadId === undefined ? undefined : world.guilds.get(message.guildId)?.channels.get(message.threadId);
  return {
    id: message.id,
    channel_id: message.channelId,
    type: message.type,
    author: userPayload(message.author),
    content: message.content,
    timestamp: new Date(snowflakeTimeMs(message.id)).toISOString(),
    edited_timestamp: message.editedTimestamp ?? null,
    tts: message.tts,
    mention_everyone: message.mentionEveryone,
    mentions: message.mentions.flatMap((id) => {
      const user = world.users.get(id);
      return user ? [userPayload(user)] : [];
    }),
    mention_roles: message.mentionRoles,
    attachments: message.attachments.map((attachment) => store.payload(attachment)),
    embeds: message.embeds,
    components: message.components,
    flags: message.flags,
    pinned: false,
    ...(message.nonce === undefined ? {} : { nonce: message.nonce }),
    ...(reference
      ? {
          message_reference: {
            type: 0,
            message_id: reference.messageId,
            channel_id: reference.channelId,
            guild_id: message.guildId,
          },
          referenced_message: referenced ? messagePayload(world, store, withoutReference(referenced)) : null,
        }
      : {}),
    ...(interaction ? interactionFields(world, message, interaction) : {}),
    ...(thread ? { thread: channelPayload(thread) } : {}),
  };
}

/** Discord resolves one reply, not the whole chain. */
function withoutReference(message: Message): Message {
  const { reference: _chain, ...rest } = message;
  return rest;
}

/** A message as the gateway tells it: with its guild and the author's membership. */
export function messageGatewayPayload(world: World, store: AttachmentStore, message: Message): JsonObject {
  const member = world.guilds.get(message.guildId)?.members.get(message.author.id);
  return {
    ...messagePayload(world, store, message),
    guild_id: message.guildId,
    ...(member ? { member: partialMemberPayload(member) } : {}),
  };
}

/** Answers to interactions are sent through a webhook whose id is the application's. */
function interactionFields(world: World, message: Message, interaction: MessageInteraction): JsonObject {
  const user = world.users.get(interaction.userId);
  return {
    webhook_id: world.bot.id,
    application_id: world.bot.id,
    interaction_metadata: {
      id: interaction.id,
      type: interaction.type,
      user: user ? userPayload(user) : null,
      authorizing_integration_owners: { '0': message.guildId },
      ...(interaction.originalResponseId === undefined
        ? {}
        : { original_response_message_id: interaction.originalResponseId }),
    },
    ...(user && interaction.name !== undefined
      ? {
          interaction: {
            id: interaction.id,
            type: interaction.type,
            name: interaction.name,
            user: userPayload(user),
          },
        }
      : {}),
  };
}
