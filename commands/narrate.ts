import { ApplicationCommandOptionType, type Attachment } from 'discord.js';

import { IN_SERVERS, type SlashCommand } from '../src/discord/command.ts';
import { PACES } from '../src/discord/narration-wish.ts';
import { english } from '../src/language/english.ts';
import { UserError } from '../src/language/user-error.ts';
import { NARRATION_FORMATS } from '../src/narration/chapter-file.ts';
import type { TextDocument } from '../src/narration/document.ts';
import type { Documents } from '../src/narration/documents.ts';
import { isSpeakable } from '../src/narration/passages.ts';
import { scriptOf } from '../src/narration/script.ts';
import { VOICES } from '../src/narration/voices.ts';

const words = english.commands.narrate;

const MAX_MANNER_LENGTH = 100;

export const narrate: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.text.name,
        description: words.options.text.description,
        required: false,
      },
      {
        type: ApplicationCommandOptionType.Attachment,
        name: words.options.file.name,
        description: words.options.file.description,
        required: false,
      },
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.voice.name,
        description: words.options.voice.description,
        required: false,
        choices: VOICES.map((value) => ({ name: value, value })),
      },
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.pace.name,
        description: words.options.pace.description,
        required: false,
        choices: PACES.map((value) => ({ name: english.narrate.paces[value], value })),
      },
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.manner.name,
        description: words.options.manner.description,
        maxLength: MAX_MANNER_LENGTH,
        required: false,
      },
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.format.name,
        description: words.options.format.description,
        required: false,
        choices: NARRATION_FORMATS.map((value) => ({ name: value, value })),
      },
    ],
  },
  ephemeral: false,
  async execute(interaction, { calls, documents, narrations, voiceOf, signal }) {
    const { options, guildId, channelId, user } = interaction;
    const text = options.getString(words.options.text.name)?.trim() ?? '';
    const document = await documentOf(text, options.getAttachment(words.options.file.name), documents, signal);
    const conversationId = calls.conversationOf(guildId, channelId);
    const pace = options.getString(words.options.pace.name);
    const format = options.getString(words.options.format.name);
    const manner = options.getString(words.options.manner.name)?.trim();
    await narrations.start(
      interaction,
      {
        script: scriptOf(document),
        voice: options.getString(words.options.voice.name) ?? (await voiceOf(conversationId)),
        pace: PACES.find((one) => one === pace) ?? 'normal',
        manner: manner === '' ? undefined : manner,
        format: NARRATION_FORMATS.find((one) => one === format) ?? 'ogg',
        locale: interaction.locale,
      },
      { call: calls.callFor(guildId, channelId, user.id), conversationId },
    );
  },
  async pressed(interaction, action, { narrations, words: theirWords }) {
    await narrations.pressed(interaction, action, theirWords);
  },
};

/** What is written comes before what is in the file. @throws {UserError} */
async function documentOf(
  text: string,
  file: Attachment | null,
  documents: Documents,
  signal: AbortSignal,
): Promise<TextDocument> {
  if (!file) {
    if (!isSpeakable(text)) throw new UserError({ type: 'plain', id: 'nothing-to-read' });
    return { title: undefined, chapters: [{ title: undefined, paragraphs: text.split(/\n{2,}/u) }] };
  }
  const document = await documents.read(file, signal);
  if (!isSpeakable(text)) return document;
  return { ...document, chapters: [{ title: undefined, paragraphs: [text] }, ...document.chapters] };
}
