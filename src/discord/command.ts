import type { Attachment, ChatInputCommandInteraction, RESTPostAPIChatInputApplicationCommandsJSONBody } from 'discord.js';

import type { Chat, Question } from '../conversation/chat.ts';
import type { Words } from '../language/words.ts';
import type { VoiceCalls } from './voice-calls.ts';

/** A slash command: what Discord shows of it, and what it does. */
export interface Command {
  readonly data: RESTPostAPIChatInputApplicationCommandsJSONBody;
  /** Whether only the person who ran it sees the answer. */
  readonly ephemeral: boolean;
  /**
   * Runs it. The interaction is already acknowledged: answer with `editReply`. Errors thrown here reach the person as a
   * sentence.
   */
  execute(interaction: ChatInputCommandInteraction<'cached'>, context: CommandContext): Promise<void>;
}

/** What a command may use. */
export interface CommandContext {
  /** In the language of the person who ran it. */
  readonly words: Words;
  readonly calls: VoiceCalls;
  readonly chat: Chat;
  /** Every command Parley has, for `/help`. */
  readonly commands: readonly Command[];
  /** Fetches an attached sound file and makes it fit for the model. @throws {UserError} that names what is wrong with it. */
  readonly speechOf: (attachment: Attachment, signal: AbortSignal) => Promise<NonNullable<Question['speech']>>;
  /** Aborts when Parley shuts down. */
  readonly signal: AbortSignal;
}
