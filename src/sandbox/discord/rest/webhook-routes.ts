import { type Message, MESSAGE_FLAGS } from '../entities.ts';
import type { Interaction } from '../interaction.ts';
import { EMPTY_DRAFT, isLoading } from '../messages.ts';
import type { RequestBody } from './body.ts';
import type { Place } from './compose.ts';
import { DiscordError } from './errors.ts';
import type { InteractionRouteParts } from './interaction-routes.ts';
import { LIMITS, NO_CONTENT, type RestCall, type Route } from './route.ts';

/**
 * Flags a follow-up may set. Discord documents voice messages for new channel messages and for the first answer only:
 * here, and on every edit, the flag is ignored and the file arrives as an ordinary attachment.
 */
const FOLLOW_UP_FLAGS = MESSAGE_FLAGS.suppressEmbeds | MESSAGE_FLAGS.ephemeral | MESSAGE_FLAGS.suppressNotifications;

/** `/webhooks/{application}/{interaction token}`: the answer once more, and everything after it. */
export function webhookRoutes(parts: InteractionRouteParts): Route[] {
  const { board, book, composer } = parts;
  const common = { limit: LIMITS.webhook, major: ['applicationId', 'token'], tokenInPath: true } as const;
  const message = '/webhooks/:applicationId/:token/messages/:message';
  return [
    {
      ...common,
      method: 'POST',
      path: '/webhooks/:applicationId/:token',
      async handle(call) {
        const body = await call.body();
        const interaction = openInteraction(parts, call);
        const followUp = createFollowUp(parts, interaction, body);
        book.changed(interaction);
        return { status: 200, json: board.payload(followUp) };
      },
    },
    {
      ...common,
      method: 'GET',
      path: message,
      handle: (call) => ({ status: 200, json: board.payload(findMessage(openInteraction(parts, call), call)) }),
    },
    {
      ...common,
      method: 'PATCH',
      path: message,
      async handle(call) {
        const body = await call.body();
        const interaction = openInteraction(parts, call);
        const found = findMessage(interaction, call);
        const place = placeOf(interaction, found.visibleTo !== undefined);
        board.edit(found, composer.edit(body, body.json, found, place));
        if (found === interaction.original) book.complete(interaction);
        book.changed(interaction);
        return { status: 200, json: board.payload(found) };
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: message,
      handle(call) {
        const interaction = openInteraction(parts, call);
        const found = findMessage(interaction, call);
        board.delete(interaction.channel, found);
        interaction.messages = interaction.messages.filter((one) => one !== found);
        if (interaction.original === found) delete interaction.original;
        book.changed(interaction);
        return NO_CONTENT;
      },
    },
  ];
}

/** The acknowledged interaction whose token is in the path, while the token lives. */
function openInteraction({ world, book }: InteractionRouteParts, call: RestCall): Interaction {
  const interaction = book.findByToken(call.param('token'));
  const known = interaction && call.param('applicationId') === world.bot.id;
  if (!known || interaction.state.status === 'waiting' || interaction.state.status === 'failed') {
    throw new DiscordError('unknownWebhook');
  }
  if (book.isExpired(interaction)) throw new DiscordError('invalidWebhookToken');
  if (!interaction.guild.channels.has(interaction.channel.id)) throw new DiscordError('unknownChannel');
  return interaction;
}

function findMessage(interaction: Interaction, call: RestCall): Message {
  const id = call.param('message');
  const found = id === '@original' ? interaction.original : interaction.messages.find((message) => message.id === id);
  if (!found || !interaction.channel.messages.has(found.id)) throw new DiscordError('unknownMessage');
  return found;
}

/** Right after a deferred answer a follow-up takes its place, as it did before answers could be edited. */
function createFollowUp(
  { world, board, book, composer }: InteractionRouteParts,
  interaction: Interaction,
  body: RequestBody,
): Message {
  const { original, guild, channel, person } = interaction;
  if (original && isLoading(original)) {
    const place = placeOf(interaction, original.visibleTo !== undefined);
    board.edit(original, composer.edit(body, body.json, original, place));
    book.complete(interaction);
    return original;
  }
  const composed = composer.create(body, body.json, placeOf(interaction, asksForEphemeral(body.json)));
  const followUp = board.create(guild, channel, {
    ...EMPTY_DRAFT,
    ...composed,
    author: world.bot,
    type: original ? 19 : 0,
    ...(original ? { reference: { messageId: original.id, channelId: channel.id } } : {}),
    interaction: {
      id: interaction.id,
      type: interaction.type,
      userId: person.id,
      ...(original ? { originalResponseId: original.id } : {}),
    },
    ...((composed.flags & MESSAGE_FLAGS.ephemeral) === 0 ? {} : { visibleTo: person.id }),
  });
  interaction.messages.push(followUp);
  return followUp;
}

function placeOf({ guild, channel }: Interaction, ephemeral: boolean): Place {
  return { guild, channel, flags: FOLLOW_UP_FLAGS, ephemeral, prefix: [], answersInteraction: true };
}

function asksForEphemeral(json: unknown): boolean {
  const flags = typeof json === 'object' && json !== null && 'flags' in json ? json.flags : 0;
  return typeof flags === 'number' && (flags & MESSAGE_FLAGS.ephemeral) !== 0;
}
