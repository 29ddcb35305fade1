import { z } from 'zod';
import { type JsonObject, type Message, MESSAGE_FLAGS } from '../entities.ts';
import { type Interaction, INTERACTIONS } from '../interaction.ts';
import type { InteractionBook } from '../interaction-book.ts';
import { EMPTY_DRAFT, type MessageBoard } from '../messages.ts';
import type { World } from '../world.ts';
import type { RequestBody } from './body.ts';
import { modalSchema } from './component-schema.ts';
import type { Composer, Place } from './compose.ts';
import { DiscordError } from './errors.ts';
import { invalidForm, list, parseForm, text } from './form.ts';
import { LIMITS, type Route } from './route.ts';

/** Discord's callback type numbers. */
const CALLBACKS = { message: 4, deferMessage: 5, deferUpdate: 6, update: 7, autocomplete: 8, modal: 9 } as const;

const callbackSchema = z.looseObject({ type: z.int(), data: z.unknown().optional() });

const autocompleteSchema = z.looseObject({
  choices: list(z.looseObject({ name: text(1, 100), value: z.union([text(0, 100), z.number()]) }), 0, 25),
});

const deferSchema = z.looseObject({ flags: z.int().nullish() });

/** Flags an answer may set ("Interaction Callback Data Structure: Messages"). */
const ANSWER_FLAGS =
  MESSAGE_FLAGS.suppressEmbeds |
  MESSAGE_FLAGS.ephemeral |
  MESSAGE_FLAGS.voiceMessage |
  MESSAGE_FLAGS.suppressNotifications;

export interface InteractionRouteParts {
  readonly world: World;
  readonly board: MessageBoard;
  readonly book: InteractionBook;
  readonly composer: Composer;
}

/** `POST /interactions/{id}/{token}/callback`: the bot's first answer. */
export function interactionRoutes(parts: InteractionRouteParts): Route[] {
  const { book } = parts;
  return [
    {
      method: 'POST',
      path: '/interactions/:interactionId/:token/callback',
      limit: LIMITS.callback,
      tokenInPath: true,
      async handle(call) {
        const body = await call.body();
        const interaction = book.find(call.param('interactionId'));
        if (!interaction || interaction.state.status === 'failed') throw new DiscordError('unknownInteraction');
        if (interaction.token !== call.param('token')) throw new DiscordError('invalidWebhookToken');
        if (interaction.state.status !== 'waiting') throw new DiscordError('alreadyAcknowledged');
        const form = parseForm(callbackSchema, body.json);
        if (!allowedCallbacks(interaction).includes(form.type)) throw callbackRefused(interaction);
        const message = answer(parts, interaction, form.type, body, form.data);
        book.changed(interaction);
        return call.query.get('with_response') === 'true'
          ? { status: 200, json: callbackResponse(parts, interaction, form.type, message) }
          : { status: 204 };
      },
    },
  ];
}

function allowedCallbacks({ type, message }: Interaction): readonly number[] {
  const { deferUpdate, update, autocomplete, modal } = CALLBACKS;
  const reply = [CALLBACKS.message, CALLBACKS.deferMessage];
  if (type === INTERACTIONS.autocomplete) return [autocomplete];
  if (type === INTERACTIONS.command) return [...reply, modal];
  if (type === INTERACTIONS.component) return [...reply, deferUpdate, update, modal];
  return message ? [...reply, deferUpdate, update] : reply;
}

function callbackRefused(interaction: Interaction): DiscordError {
  const types = allowedCallbacks(interaction).join(', ');
  return invalidForm({ path: ['type'], code: 'BASE_TYPE_CHOICES', message: `Value must be one of {${types}}.` });
}

/** Carries the answer out; the message it made or changed. */
function answer(
  { world, board, book, composer }: InteractionRouteParts,
  interaction: Interaction,
  type: number,
  body: RequestBody,
  data: unknown,
): Message | undefined {
  const { guild, channel } = interaction;
  const place: Place = {
    guild,
    channel,
    flags: ANSWER_FLAGS,
    ephemeral: isEphemeral(data),
    prefix: ['data'],
    answersInteraction: true,
  };
  const about = responseFields(world, interaction);
  switch (type) {
    case CALLBACKS.message: {
      const composed = composer.create(body, data, place);
      const message = board.create(guild, channel, { ...EMPTY_DRAFT, ...composed, ...about(composed.flags) });
      interaction.original = message;
      interaction.messages.push(message);
      book.acknowledge(interaction, 'answered');
      return message;
    }
    case CALLBACKS.deferMessage: {
      const flags = (parseForm(deferSchema, data, ['data']).flags ?? 0) & MESSAGE_FLAGS.ephemeral;
      const draft = { ...EMPTY_DRAFT, ...about(flags), flags: flags | MESSAGE_FLAGS.loading };
      const message = board.create(guild, channel, draft);
      interaction.original = message;
      interaction.messages.push(message);
      book.acknowledge(interaction, 'deferred');
      return message;
    }
    case CALLBACKS.autocomplete:
      interaction.choices.resolve(parseForm(autocompleteSchema, data, ['data']).choices);
      book.acknowledge(interaction, 'answered');
      return undefined;
    case CALLBACKS.modal:
      interaction.modal = parseForm(modalSchema, data, ['data']);
      book.acknowledge(interaction, 'answered');
      return undefined;
    default:
      return answerOnMessage(
        type,
        interaction,
        (message) => {
          board.edit(
            message,
            composer.edit(body, data, message, { ...place, ephemeral: message.visibleTo !== undefined }),
          );
          book.acknowledge(interaction, 'answered');
        },
        () => book.acknowledge(interaction, 'deferred'),
      );
  }
}

/** Types 6 and 7 are about the message that the component is on. */
function answerOnMessage(
  type: number,
  interaction: Interaction,
  update: (message: Message) => void,
  defer: () => void,
): Message {
  const { message } = interaction;
  if (!message) throw callbackRefused(interaction);
  if (type === CALLBACKS.update) update(message);
  else defer();
  interaction.original = message;
  return message;
}

/** What every response to this interaction has in common. */
function responseFields(world: World, interaction: Interaction) {
  const { id, type, person, command, message, channel } = interaction;
  return (flags: number) => ({
    author: world.bot,
    type: command ? (command.menu ? 23 : 20) : 19,
    ...(message && !command ? { reference: { messageId: message.id, channelId: channel.id } } : {}),
    interaction: { id, type, userId: person.id, ...(command ? { name: command.name } : {}) },
    ...((flags & MESSAGE_FLAGS.ephemeral) === 0 ? {} : { visibleTo: person.id }),
  });
}

function isEphemeral(data: unknown): boolean {
  const parsed = deferSchema.safeParse(data ?? {});
  return parsed.success && ((parsed.data.flags ?? 0) & MESSAGE_FLAGS.ephemeral) !== 0;
}

function callbackResponse(
  { board }: InteractionRouteParts,
  interaction: Interaction,
  type: number,
  message: Message | undefined,
): JsonObject {
  // The placeholder of a deferred answer is named by its id only.
  const carriesMessage = type === CALLBACKS.message || type === CALLBACKS.update;
  return {
    interaction: {
      id: interaction.id,
      type: interaction.type,
      channel_id: interaction.channel.id,
      guild_id: interaction.guild.id,
      ...(message
        ? {
            response_message_id: message.id,
            response_message_loading: interaction.state.status === 'deferred',
            response_message_ephemeral: message.visibleTo !== undefined,
          }
        : {}),
    },
    resource: { type, ...(message && carriesMessage ? { message: board.payload(message) } : {}) },
  };
}
