import {
  DiscordAPIError,
  Events,
  MessageFlags,
  RESTJSONErrorCodes,
  type AutocompleteInteraction,
  type ChatInputCommandInteraction,
  type Client,
  type Interaction,
  type InteractionEditReplyOptions,
  type Message,
  type MessageContextMenuCommandInteraction,
} from 'discord.js';

import { sentenceFor, UserError } from '../language/user-error.ts';
import { wordsFor } from '../language/words.ts';
import type { Log } from '../telemetry/log.ts';
import type { Command, CommandContext, ComponentInteraction } from './command.ts';
import { splitMessage } from './text.ts';

/** Discord shows this many values while somebody types. */
const MAX_OFFERED = 25;

/** Interactions that a command takes. */
export type CommandInteraction =
  | ChatInputCommandInteraction
  | MessageContextMenuCommandInteraction
  | ComponentInteraction;

/**
 * Takes every interaction: acknowledges within Discord's three seconds, before anything else is done, runs the command and
 * turns whatever it throws into a sentence for the person.
 */
export class Interactions {
  readonly #commands: ReadonlyMap<string, Command>;
  readonly #context: Omit<CommandContext, 'words'>;
  readonly #log: Log;
  readonly #running = new Set<Promise<void>>();

  constructor(context: Omit<CommandContext, 'words'>, log: Log) {
    this.#commands = new Map(context.commands.map((command) => [command.data.name, command]));
    this.#context = context;
    this.#log = log;
  }

  /** Takes every interaction of the client from now on. */
  listen(client: Client): void {
    client.on(Events.InteractionCreate, (interaction) => void this.#handle(interaction));
  }

  async #handle(interaction: Interaction): Promise<void> {
    if (interaction.isAutocomplete()) await this.#offer(interaction);
    if (!isForCommand(interaction)) return;
    const name = interaction.isMessageComponent() ? interaction.customId.split(':', 1)[0] : interaction.commandName;
    const command = this.#commands.get(name ?? '');
    if (!command) return;
    const running = this.#run(command, interaction);
    this.#running.add(running);
    await running;
    this.#running.delete(running);
  }

  /** Offers values while somebody types. Nobody is told when it fails: they can type on. */
  async #offer(interaction: AutocompleteInteraction): Promise<void> {
    const command = this.#commands.get(interaction.commandName);
    if (command?.kind !== 'slash' || !interaction.inCachedGuild()) return;
    try {
      const values = command.offer?.(interaction, { ...this.#context, words: wordsFor(interaction.locale) }) ?? [];
      const choices = fitting(values, interaction.options.getFocused());
      await interaction.respond(choices.map((value) => ({ name: value, value })));
    } catch (error) {
      this.#log.warn({ err: error, command: interaction.commandName }, 'nothing offered');
    }
  }

  /** Resolves when the commands now running have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #run(command: Command, interaction: CommandInteraction): Promise<void> {
    const log = this.#log.child({
      interaction: interaction.id,
      command: command.data.name,
      guild: interaction.guildId,
    });
    const words = wordsFor(interaction.locale);
    const startedAtMs = performance.now();
    try {
      if (interaction.isMessageComponent()) await interaction.deferUpdate();
      else await interaction.deferReply(command.ephemeral ? { flags: MessageFlags.Ephemeral } : {});
    } catch (error) {
      // Another process has it, or it is too late: then there is nobody left to answer.
      log.warn({ err: error }, 'interaction not acknowledged');
      return;
    }
    try {
      if (!interaction.inCachedGuild()) throw new UserError({ type: 'plain', id: 'not-in-server' });
      await execute(command, interaction, { ...this.#context, words });
      log.info({ durationMs: Math.round(performance.now() - startedAtMs) }, 'command done');
    } catch (error) {
      log.warn({ err: error }, 'command failed');
      if (interaction.isMessageComponent() && isOfEndedCall(error)) await withoutButtons(interaction, log);
      await tell(interaction, sentenceFor(error, words)).catch((cause: unknown) => {
        log.error({ err: cause }, 'failure not told');
      });
    }
  }
}

/** What of a list begins with, or else holds, what was typed; as many as Discord shows. */
function fitting(values: readonly string[], typed: string): string[] {
  const wanted = typed.trim().toLowerCase();
  const holding = values.filter((value) => value.toLowerCase().includes(wanted));
  return holding.toSorted((a, b) => indexIn(a, wanted) - indexIn(b, wanted)).slice(0, MAX_OFFERED);
}

function indexIn(value: string, wanted: string): number {
  return Math.min(1, value.toLowerCase().indexOf(wanted));
}

/** The buttons of a call that has ended, such as with a process that was killed, are of no use to anybody. */
function isOfEndedCall(error: unknown): boolean {
  return error instanceof UserError && error.problem.type === 'plain' && error.problem.id === 'old-panel';
}

async function withoutButtons(interaction: ComponentInteraction, log: Log): Promise<void> {
  await interaction.editReply({ components: [] }).catch((error: unknown) => {
    log.warn({ err: error }, 'buttons not taken away');
  });
}

function isForCommand(interaction: Interaction): interaction is CommandInteraction {
  return (
    interaction.isChatInputCommand() || interaction.isMessageContextMenuCommand() || interaction.isMessageComponent()
  );
}

async function execute(
  command: Command,
  interaction: CommandInteraction & { inCachedGuild(): boolean },
  context: CommandContext,
): Promise<void> {
  if (!interaction.inCachedGuild()) return;
  if (interaction.isMessageComponent()) {
    await command.pressed?.(interaction, interaction.customId.slice(command.data.name.length + 1), context);
  } else if (command.kind === 'slash' && interaction.isChatInputCommand()) {
    await command.execute(interaction, context);
  } else if (command.kind === 'message' && interaction.isMessageContextMenuCommand()) {
    await command.execute(interaction, context);
  }
}

/** A failure must not take the place of what is there already: an answer, or the message that a button stands under. */
async function tell(interaction: CommandInteraction, sentence: string): Promise<void> {
  if (interaction.isMessageComponent() || interaction.replied) {
    await interaction.followUp({ content: sentence, flags: MessageFlags.Ephemeral });
  } else {
    await answer(interaction, sentence);
  }
}

/**
 * Answers an acknowledged command with text of any length. When its token runs out (15 minutes), in the middle even, what is
 * left goes to the channel instead, so that nothing is lost and nothing comes twice.
 */
export async function answer(
  interaction: ChatInputCommandInteraction | MessageContextMenuCommandInteraction,
  text: string,
): Promise<void> {
  const contents = splitMessage(text);
  if (contents.length === 0) contents.push('…');
  let sent = 0;
  try {
    for (const content of contents) {
      await (sent === 0 ? interaction.editReply({ content }) : interaction.followUp({ content }));
      sent++;
    }
  } catch (error) {
    if (!isExpired(error) || !interaction.inCachedGuild() || !interaction.channel) throw error;
    for (const content of contents.slice(sent)) await interaction.channel.send({ content });
  }
}

/** Answers an acknowledged command with one message, and gives it; in the channel when its token has run out. */
export async function answerWith(
  interaction: ChatInputCommandInteraction<'cached'>,
  { content, components }: Required<Pick<InteractionEditReplyOptions, 'components'>> & { readonly content: string },
): Promise<Message> {
  try {
    return await interaction.editReply({ content, components });
  } catch (error) {
    if (!isExpired(error) || !interaction.channel) throw error;
    return interaction.channel.send({ content, components });
  }
}

/** Whether Discord no longer takes anything for an interaction. */
export function isExpired(error: unknown): boolean {
  return (
    error instanceof DiscordAPIError &&
    (error.code === RESTJSONErrorCodes.InvalidWebhookToken || error.code === RESTJSONErrorCodes.UnknownWebhook)
  );
}
