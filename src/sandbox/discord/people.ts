import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import { mixToMono, toInt16 } from '../../audio/pcm.ts';
import { resample } from '../../audio/resample.ts';
import { encodeVoiceMessage, type VoiceMessage } from '../../audio/voice-message.ts';
import { decodeWav } from '../../audio/wav.ts';
import { codePoints } from './code-points.ts';
import type { PeopleControl, Upload } from '../control/protocol.ts';
import { Refusal } from '../control/refusal.ts';
import { type AttachmentStore, fromUpload } from './attachments.ts';
import { CommandRegistry, COMMAND_TYPES } from './commands.ts';
import { CommandUse } from './command-use.ts';
import { findComponent, modalSubmission, selectionData } from './component-use.ts';
import { type Channel, type Guild, type Message, MESSAGE_FLAGS, type User } from './entities.ts';
import { type InteractionRequest, INTERACTIONS } from './interaction.ts';
import type { InteractionBook } from './interaction-book.ts';
import { findMentions, PARSE_ALL } from './mentions.ts';
import { EMPTY_DRAFT, isLoading, type MessageBoard } from './messages.ts';
import { may } from './permissions.ts';
import { bySnowflake } from './snowflake.ts';
import type { World } from './world.ts';

/** Characters of a message from someone without a subscription. */
const MAX_CONTENT = 2000;
const MAX_ATTACHMENTS = 10;

interface PeopleParts {
  readonly world: World;
  readonly board: MessageBoard;
  readonly book: InteractionBook;
  readonly store: AttachmentStore;
}

/** What people do in text, with the checks Discord's client makes before it sends anything. */
export function createPeopleControl({ world, board, book, store }: PeopleParts): PeopleControl {
  const registry = new CommandRegistry(world);
  const open = (request: InteractionRequest) => ({ interactionId: book.open(request).id });
  return {
    async sendMessage({ personId, channelId, content, attachments = [] }) {
      const { person, guild, channel } = placeOf(world, personId, channelId);
      const author = world.member(guild, personId);
      checkMessage(guild, channel, person, content, attachments);
      const message = board.create(guild, channel, {
        ...EMPTY_DRAFT,
        author: person,
        content: content.trim(),
        attachments: attachments.map((upload) => store.store(fromUpload(upload), channelId, false)),
        mentions: findMentions({ guild, channel, author }, content, PARSE_ALL),
      });
      return board.snapshot(message);
    },

    async sendVoiceMessage({ personId, channelId, wav }) {
      const { person, guild, channel } = placeOf(world, personId, channelId);
      const { file, ...details } = voiceMessageOf(Buffer.from(wav, 'base64'));
      const name = 'voice-message.ogg';
      checkMessage(guild, channel, person, '', [{ name, data: '' }]);
      const attachment = store.store({ name, contentType: 'audio/ogg', bytes: file }, channelId, false, details);
      const draft = { ...EMPTY_DRAFT, author: person, flags: MESSAGE_FLAGS.voiceMessage, attachments: [attachment] };
      return board.snapshot(board.create(guild, channel, draft));
    },

    async runCommand({ personId, channelId, command, options = {} }) {
      const place = commandPlace(world, personId, channelId);
      const data = new CommandUse(world, store, place, command).submit(options);
      return open({ ...place, type: INTERACTIONS.command, data, command: { name: command, menu: false } });
    },

    async runMessageCommand({ personId, channelId, messageId, command }) {
      const place = commandPlace(world, personId, channelId);
      const record = registry.visibleIn(place.guild.id, COMMAND_TYPES.message, command);
      if (!record) throw new Refusal(`There is no message command called ${command}.`);
      const target = visibleMessage(place.channel, place.person, messageId);
      const data = {
        id: record.id,
        name: record.name,
        type: COMMAND_TYPES.message,
        target_id: messageId,
        resolved: { messages: { [messageId]: board.payload(target) } },
        ...(record.guildId === undefined ? {} : { guild_id: record.guildId }),
      };
      return open({ ...place, type: INTERACTIONS.command, data, command: { name: command, menu: true } });
    },

    async autocomplete({ personId, channelId, command, option, value }) {
      const place = commandPlace(world, personId, channelId);
      const data = new CommandUse(world, store, place, command).complete(option, value);
      const interaction = book.open({
        ...place,
        type: INTERACTIONS.autocomplete,
        data,
        command: { name: command, menu: false },
      });
      return { choices: (await interaction.choices.promise).map(({ name, value }) => ({ name, value })) };
    },

    async pressButton({ personId, channelId, messageId, customId }) {
      const place = commandPlace(world, personId, channelId);
      const message = visibleMessage(place.channel, place.person, messageId);
      const button = findComponent(message, customId, 'button');
      const data = { component_type: button['type'], custom_id: customId, id: 1 };
      return open({ ...place, type: INTERACTIONS.component, data, message });
    },

    async selectOptions({ personId, channelId, messageId, customId, values }) {
      const place = commandPlace(world, personId, channelId);
      const message = visibleMessage(place.channel, place.person, messageId);
      const data = selectionData(world, place.guild, personId, findComponent(message, customId, 'select'), values);
      return open({ ...place, type: INTERACTIONS.component, data, message });
    },

    async submitModal({ personId, interactionId, fields }) {
      const opener = book.get(interactionId);
      const { modal, guild, channel, person, message } = opener;
      if (!modal) throw new Refusal('The interaction has opened no modal.');
      if (person.id !== personId) throw new Refusal(`The modal was opened for ${person.name}.`);
      const data = modalSubmission(modal, fields);
      const request = { guild, channel, person, type: INTERACTIONS.modal, data };
      return open(message ? { ...request, message } : request);
    },

    interaction: async ({ interactionId }) => book.snapshot(book.get(interactionId)),

    async ageInteraction({ interactionId, byMs }) {
      book.age(book.get(interactionId), byMs);
    },

    async messages({ channelId, personId }) {
      const { channel } = world.channel(channelId);
      return [...channel.messages.values()]
        .filter(({ visibleTo }) => visibleTo === undefined || visibleTo === personId)
        .filter((message) => !isLoading(message))
        .toSorted(bySnowflake)
        .map((message) => board.snapshot(message));
    },
  };
}

function voiceMessageOf(wav: Uint8Array): VoiceMessage {
  const { sampleRateHz, channels } = decodeWav(wav);
  return encodeVoiceMessage(toInt16(resample(mixToMono(channels), sampleRateHz, SAMPLE_RATE_HZ)));
}

interface PersonPlace {
  readonly person: User;
  readonly guild: Guild;
  readonly channel: Channel;
}

function placeOf(world: World, personId: string, channelId: string): PersonPlace {
  const person = world.person(personId);
  const { guild, channel } = world.channel(channelId);
  const member = world.member(guild, personId);
  if (!may(guild, channel, member, 'VIEW_CHANNEL')) throw new Refusal(`${person.name} cannot see ${channel.name}.`);
  return { person, guild, channel };
}

function commandPlace(world: World, personId: string, channelId: string): PersonPlace {
  const place = placeOf(world, personId, channelId);
  if (place.person.bot) throw new Refusal(`${place.person.name} is a bot, and bots use no commands or components.`);
  return place;
}

function checkMessage(
  guild: Guild,
  channel: Channel,
  person: User,
  content: string,
  attachments: readonly Upload[],
): void {
  const member = guild.members.get(person.id);
  const send = channel.thread ? 'SEND_MESSAGES_IN_THREADS' : 'SEND_MESSAGES';
  if (!member || !may(guild, channel, member, send)) {
    throw new Refusal(`${person.name} may not write in ${channel.name}.`);
  }
  if (attachments.length > 0 && !may(guild, channel, member, 'ATTACH_FILES')) {
    throw new Refusal(`${person.name} may not attach files in ${channel.name}.`);
  }
  if (content.trim() === '' && attachments.length === 0) throw new Refusal('The message is empty.');
  if (codePoints(content) > MAX_CONTENT) throw new Refusal(`The message is longer than ${MAX_CONTENT} characters.`);
  if (attachments.length > MAX_ATTACHMENTS) throw new Refusal(`A message takes at most ${MAX_ATTACHMENTS} files.`);
}

function visibleMessage(channel: Channel, person: User, messageId: string): Message {
  const message = channel.messages.get(messageId);
  if (!message || (message.visibleTo !== undefined && message.visibleTo !== person.id)) {
    throw new Refusal(`${person.name} sees no message ${messageId} in ${channel.name}.`);
  }
  return message;
}
