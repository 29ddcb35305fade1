import {
  ApplicationIntegrationType,
  InteractionContextType,
  type AnySelectMenuInteraction,
  type Attachment,
  type AutocompleteInteraction,
  type ButtonInteraction,
  type CacheType,
  type ChatInputApplicationCommandData,
  type ChatInputCommandInteraction,
  type MessageApplicationCommandData,
  type MessageContextMenuCommandInteraction,
} from 'discord.js';

import type { Chat, Question } from '../conversation/chat.ts';
import type { SettingsOfChannels } from '../conversation/channel-settings.ts';
import type { Keeping } from '../conversation/keeping.ts';
import type { TurnStats } from '../conversation/turn-stats.ts';
import type { Documents } from '../narration/documents.ts';
import type { Reader } from '../narration/reader.ts';
import type { Words } from '../language/words.ts';
import type { Clock } from '../time/clock.ts';
import type { Jobs } from './jobs.ts';
import type { Narrations } from './narrations.ts';
import type { Transcriptions } from './transcriptions.ts';
import type { VoiceCalls } from './voice-calls.ts';

/** Someone has used a button or a menu of a message. */
export type ComponentInteraction<Cached extends CacheType = CacheType> =
  | ButtonInteraction<Cached>
  | AnySelectMenuInteraction<Cached>;

/** A command: what Discord shows of it, and what it does. */
export type Command = SlashCommand | MessageCommand;

interface CommandBase {
  /** Whether only the person who ran it sees the answer. */
  readonly ephemeral: boolean;
  /**
   * Runs when someone uses a button or menu whose custom id is `{command's name}:{action}`. Already acknowledged: change the
   * message with `editReply`.
   */
  readonly pressed?: (
    interaction: ComponentInteraction<'cached'>,
    action: string,
    context: CommandContext,
  ) => Promise<void>;
}

export interface SlashCommand extends CommandBase {
  readonly kind: 'slash';
  readonly data: ChatInputApplicationCommandData;
  /**
   * Runs it. The interaction is already acknowledged: answer with `answer` or `editReply`. Errors thrown here reach the
   * person as a sentence.
   */
  execute(interaction: ChatInputCommandInteraction<'cached'>, context: CommandContext): Promise<void>;
  /** What to offer while somebody types an option that asks for it, at most 25 values. Must not wait for anything. */
  offer?(interaction: AutocompleteInteraction<'cached'>, context: CommandContext): readonly string[];
}

/** A command in the menu of a message. */
export interface MessageCommand extends CommandBase {
  readonly kind: 'message';
  readonly data: MessageApplicationCommandData;
  /** As for a slash command. */
  execute(interaction: MessageContextMenuCommandInteraction<'cached'>, context: CommandContext): Promise<void>;
}

/** What a command may use. */
export interface CommandContext {
  /** In the language of the person who ran it. */
  readonly words: Words;
  readonly calls: VoiceCalls;
  readonly chat: Chat;
  /** What people chose for a channel. */
  readonly settings: SettingsOfChannels;
  /** How long turns took. */
  readonly stats: TurnStats;
  /** What is kept of people and conversations. */
  readonly keeping: Keeping;
  /** Writes down attached files. */
  readonly transcriptions: Transcriptions;
  /** Reads texts aloud, word for word. */
  readonly reader: Reader;
  /** Reads long texts into files and calls. */
  readonly narrations: Narrations;
  /** Fetches attached texts and books. */
  readonly documents: Documents;
  /** The voice that a conversation is answered with. */
  readonly voiceOf: (conversationId: string) => Promise<string>;
  /** Work that goes on for longer than a moment. */
  readonly jobs: Jobs;
  readonly clock: Clock;
  /** Every command Parley has, for `/help`. */
  readonly commands: readonly Command[];
  /** Fetches an attached sound file and makes it fit for the model. @throws {UserError} that names what is wrong with it. */
  readonly speechOf: (attachment: Attachment, signal: AbortSignal) => Promise<NonNullable<Question['speech']>>;
  /** Aborts when Parley shuts down. */
  readonly signal: AbortSignal;
}

/** Where every command of Parley's is offered: in servers that have invited it, never in private messages. */
export const IN_SERVERS = {
  contexts: [InteractionContextType.Guild],
  integrationTypes: [ApplicationIntegrationType.GuildInstall],
};

/** The custom id of a button or menu that belongs to a command. */
export function customId(command: { readonly name: string }, action: string): string {
  return `${command.name}:${action}`;
}
