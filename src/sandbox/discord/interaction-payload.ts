import type { JsonObject } from './entities.ts';
import { type Interaction, INTERACTIONS } from './interaction.ts';
import type { MessageBoard } from './messages.ts';
import { channelPayload, memberPayload } from './payloads.ts';
import { permissionsIn } from './permissions.ts';
import type { World } from './world.ts';

/** Largest upload in a guild without boosts. */
const ATTACHMENT_SIZE_LIMIT = 10 * 1024 * 1024;

/** What INTERACTION_CREATE carries ("Interaction Structure"), with the permissions of the person and of the bot here. */
export function interactionPayload(world: World, board: MessageBoard, interaction: Interaction): JsonObject {
  const { guild, channel, person, type, message } = interaction;
  const member = world.member(guild, person.id);
  return {
    version: 1,
    id: interaction.id,
    application_id: world.bot.id,
    type,
    token: interaction.token,
    data: interaction.data,
    guild_id: guild.id,
    guild: { id: guild.id, locale: 'en-US', features: [] },
    channel_id: channel.id,
    channel: { ...channelPayload(channel), permissions: permissionsIn(guild, channel, member).toString() },
    member: { ...memberPayload(member), permissions: permissionsIn(guild, channel, member).toString() },
    app_permissions: permissionsIn(guild, channel, world.botMember(guild)).toString(),
    locale: person.locale,
    guild_locale: 'en-US',
    entitlements: [],
    entitlement_sku_ids: [],
    authorizing_integration_owners: { '0': guild.id },
    context: 0,
    attachment_size_limit: ATTACHMENT_SIZE_LIMIT,
    ...(message && type !== INTERACTIONS.command ? { message: board.payload(message) } : {}),
  };
}
