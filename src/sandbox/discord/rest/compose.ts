import { type AttachmentStore, contentTypeOf, type FileDetails } from '../attachments.ts';
import {
  type Attachment,
  type Channel,
  type Guild,
  type JsonObject,
  type Message,
  MESSAGE_FLAGS,
} from '../entities.ts';
import { findMentions, type Mentions, PARSE_ALL } from '../mentions.ts';
import type { MessageChanges } from '../messages.ts';
import { may } from '../permissions.ts';
import type { World } from '../world.ts';
import type { RequestBody } from './body.ts';
import { DiscordError } from './errors.ts';
import { invalidForm, parseForm } from './form.ts';
import {
  type AttachmentForm,
  type CreateMessageForm,
  createMessageSchema,
  type EditMessageForm,
  editMessageSchema,
} from './message-schema.ts';

/** Where a message goes, and which of its flags Discord heeds there. */
export interface Place {
  readonly guild: Guild;
  readonly channel: Channel;
  /** Flags that can be set here; the others are ignored. */
  readonly flags: number;
  /** Only one person will see it. */
  readonly ephemeral: boolean;
  /** Where the message sits in the request: `data` in an interaction's answer. */
  readonly prefix: readonly string[];
  /**
   * An interaction's answer: there length and waveform count only for a file whose part says `audio/…`; a new message is
   * judged by the file's name as well.
   */
  readonly answersInteraction: boolean;
}

/** A checked message, ready for the board. */
export interface ComposedMessage {
  readonly content: string;
  readonly flags: number;
  readonly embeds: readonly JsonObject[];
  readonly components: readonly JsonObject[];
  readonly attachments: readonly Attachment[];
  readonly mentions: Mentions;
  readonly tts: boolean;
  readonly nonce?: string | number;
  readonly enforceNonce: boolean;
  readonly repliesTo?: Message;
}

/** Turns the bot's requests into messages, or refuses them as Discord does. */
export class Composer {
  readonly #world: World;
  readonly #store: AttachmentStore;

  constructor(world: World, store: AttachmentStore) {
    this.#world = world;
    this.#store = store;
  }

  /** @throws {DiscordError} when Discord would not take the message. */
  create(body: RequestBody, json: unknown, place: Place): ComposedMessage {
    const form = parseForm(createMessageSchema, json, place.prefix);
    if (((form.flags ?? 0) & MESSAGE_FLAGS.componentsV2) !== 0) throw componentsV2Refused(place);
    const flags = (form.flags ?? 0) & place.flags;
    const content = form.content?.trim() ?? '';
    const embeds = form.embeds ?? [];
    const components = form.components ?? [];
    const voice = (flags & MESSAGE_FLAGS.voiceMessage) !== 0;
    if (voice) this.#checkVoiceMessage(form, body, place);
    const repliesTo = this.#repliedMessage(form, place);
    this.#checkPermissions(place, embeds.length > 0, body.files.size > 0);
    if (content === '' && embeds.length === 0 && body.files.size === 0) throw new DiscordError('emptyMessage');
    return {
      content,
      flags,
      embeds: embeds.map(withType),
      components,
      attachments: this.#attach(form.attachments ?? [], body, place, voice),
      mentions: this.#mentions(place, content, form.allowed_mentions ?? undefined, repliesTo),
      tts: form.tts ?? false,
      ...(form.nonce === undefined || form.nonce === null ? {} : { nonce: form.nonce }),
      enforceNonce: form.enforce_nonce ?? false,
      ...(repliesTo ? { repliesTo } : {}),
    };
  }

  /** @throws {DiscordError} when Discord would not take the edit. */
  edit(body: RequestBody, json: unknown, message: Message, place: Place): MessageChanges {
    const form = parseForm(editMessageSchema, json, place.prefix);
    if (((form.flags ?? 0) & MESSAGE_FLAGS.componentsV2) !== 0) throw componentsV2Refused(place);
    if ((message.flags & MESSAGE_FLAGS.voiceMessage) !== 0) throw new DiscordError('voiceMessageEdit');
    const content = form.content === undefined ? message.content : (form.content?.trim() ?? '');
    const embeds = form.embeds === undefined ? message.embeds : (form.embeds ?? []).map(withType);
    const components = form.components === undefined ? message.components : (form.components ?? []);
    this.#checkPermissions(place, (form.embeds?.length ?? 0) > 0, body.files.size > 0);
    const attachments = this.#editedAttachments(form, body, message, place);
    if (content === '' && embeds.length === 0 && attachments.length === 0) throw new DiscordError('emptyMessage');
    const { suppressEmbeds } = MESSAGE_FLAGS;
    const flags =
      typeof form.flags === 'number'
        ? (message.flags & ~suppressEmbeds) | (form.flags & suppressEmbeds)
        : message.flags;
    const mentions = this.#mentions(place, content, form.allowed_mentions ?? undefined, undefined);
    return { content, embeds, components, attachments, flags, mentions };
  }

  #editedAttachments(form: EditMessageForm, body: RequestBody, message: Message, place: Place): Attachment[] {
    const listed = form.attachments;
    const kept = listed ? message.attachments.filter(({ id }) => listed.some((entry) => entry.id === id)) : undefined;
    const fresh = (listed ?? []).filter((entry) => !message.attachments.some(({ id }) => id === entry.id));
    return [...(kept ?? (listed === null ? [] : message.attachments)), ...this.#attach(fresh, body, place, false)];
  }

  #attach(forms: readonly AttachmentForm[], body: RequestBody, place: Place, voice: boolean): Attachment[] {
    for (const [index, form] of forms.entries()) {
      if (body.files.has(Number(form.id))) continue;
      const path = [...place.prefix, 'attachments', index, 'id'];
      throw invalidForm({ path, code: 'ATTACHMENT_NOT_FOUND', message: 'Unknown attachment' });
    }
    return [...body.files].map(([n, file]) => {
      const form = forms.find(({ id }) => id === String(n));
      const upload = { ...file, name: form?.filename ?? file.name };
      return this.#store.store(
        upload,
        place.ephemeral ? this.#world.bot.id : place.channel.id,
        place.ephemeral,
        form ? details(form, voice) : {},
      );
    });
  }

  /** The rules of Discord's "Voice Messages". */
  #checkVoiceMessage(form: CreateMessageForm, body: RequestBody, place: Place): void {
    if (form.content || form.embeds?.length || form.components?.length) throw new DiscordError('voiceMessageContent');
    const [file] = body.files.values();
    if (body.files.size !== 1 || !file || !contentTypeOf(file)?.startsWith('audio/')) {
      throw new DiscordError('voiceMessageAttachment');
    }
    const [attachment] = form.attachments ?? [];
    const heeded = !place.answersInteraction || file.contentType?.startsWith('audio/');
    if (!heeded || !attachment?.waveform || !attachment.duration_secs) {
      throw new DiscordError('voiceMessageMetadata');
    }
    const bot = this.#world.botMember(place.guild);
    if (!may(place.guild, place.channel, bot, 'SEND_VOICE_MESSAGES')) throw new DiscordError('voiceMessageForbidden');
  }

  #checkPermissions({ guild, channel }: Place, embeds: boolean, files: boolean): void {
    const bot = this.#world.botMember(guild);
    if (embeds && !may(guild, channel, bot, 'EMBED_LINKS')) throw new DiscordError('missingPermissions');
    if (files && !may(guild, channel, bot, 'ATTACH_FILES')) throw new DiscordError('missingPermissions');
  }

  #repliedMessage(form: CreateMessageForm, { guild, channel, prefix }: Place): Message | undefined {
    const reference = form.message_reference;
    if (!reference) return undefined;
    const replied = channel.messages.get(reference.message_id);
    if (replied && replied.visibleTo === undefined) {
      const bot = this.#world.botMember(guild);
      if (!may(guild, channel, bot, 'READ_MESSAGE_HISTORY')) throw new DiscordError('replyWithoutHistory');
      return replied;
    }
    if (reference.fail_if_not_exists === false) return undefined;
    const path = [...prefix, 'message_reference'];
    throw invalidForm({ path, code: 'REPLIES_UNKNOWN_MESSAGE', message: 'Unknown message' });
  }

  #mentions(
    place: Place,
    content: string,
    allowed: typeof PARSE_ALL | undefined,
    repliesTo: Message | undefined,
  ): Mentions {
    const author = this.#world.botMember(place.guild);
    return findMentions({ ...place, author }, content, allowed ?? PARSE_ALL, repliesTo?.author.id);
  }
}

function details(form: AttachmentForm, voice: boolean): FileDetails {
  return {
    ...(form.description ? { description: form.description } : {}),
    ...(form.title ? { title: form.title } : {}),
    ...(voice && typeof form.duration_secs === 'number' ? { durationSecs: form.duration_secs } : {}),
    ...(voice && form.waveform ? { waveform: form.waveform } : {}),
  };
}

function withType(embed: JsonObject): JsonObject {
  return { ...embed, type: 'rich' };
}

/** The sandbox's messages have content, embeds and rows; the newer layout components are not among what it offers. */
function componentsV2Refused(place: Place): DiscordError {
  const message = 'IS_COMPONENTS_V2 is not offered by this sandbox.';
  return invalidForm({ path: [...place.prefix, 'flags'], code: 'BASE_TYPE_CHOICES', message });
}
