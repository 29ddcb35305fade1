import type { JsonObject } from './entities.ts';
import type { World } from './world.ts';

/** The privileged intent without which a bot reads nobody's words ("Message Content Intent"). */
const MESSAGE_CONTENT = 1 << 15;

/**
 * A message as the bot may read it: without the message content intent only what the bot wrote itself or was mentioned
 * in has its content, embeds, attachments and components.
 */
export function seenByBot(world: World, message: JsonObject, intents: number): JsonObject {
  if ((intents & MESSAGE_CONTENT) !== 0) return message;
  if (idOf(message['author']) === world.bot.id) return message;
  const mentions = message['mentions'];
  if (Array.isArray(mentions) && mentions.some((user) => idOf(user) === world.bot.id)) return message;
  return { ...message, content: '', embeds: [], attachments: [], components: [] };
}

function idOf(user: unknown): unknown {
  return typeof user === 'object' && user !== null && 'id' in user ? user.id : undefined;
}
