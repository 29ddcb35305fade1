import { DiscordAPIError, Events, MessageFlags, RESTJSONErrorCodes, type ChatInputCommandInteraction, type Client, type Interaction } from 'discord.js';

import { sentenceFor, UserError } from '../language/user-error.ts';
import { wordsFor } from '../language/words.ts';
import type { Log } from '../telemetry/log.ts';
import type { Command, CommandContext } from './command.ts';
import { splitMessage } from './text.ts';

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
    if (!interaction.isChatInputCommand()) return;
    const command = this.#commands.get(interaction.commandName);
    if (!command) return;
    const running = this.#run(command, interaction);
    this.#running.add(running);
    await running;
    this.#running.delete(running);
  }

  /** Resolves when the commands now running have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #run(command: Command, interaction: ChatInputCommandInteraction): Promise<void> {
    const log = this.#log.child({ interaction: interaction.id, command: command.data.name, guild: interaction.guildId });
    const words = wordsFor(interaction.locale);
    const startedAtMs = performance.now();
    try {
      await interaction.deferReply(command.ephemeral ? { flags: MessageFlags.Ephemeral } : {});
    } catch (error) {
      // Another process has it, or it is too late: then there is nobody left to answer.
      log.warn({ err: error }, 'interaction not acknowledged');
      return;
    }
    try {
      if (!interaction.inCachedGuild()) throw new UserError({ type: 'plain', id: 'not-in-server' });
      await command.execute(interaction, { ...this.#context, words });
      log.info({ durationMs: Math.round(performance.now() - startedAtMs) }, 'command done');
    } catch (error) {
      log.warn({ err: error }, 'command failed');
      await answer(interaction, sentenceFor(error, words)).catch((cause: unknown) => {
        log.error({ err: cause }, 'failure not told');
      });
    }
  }
}

/**
 * Answers an acknowledged command with text of any length. When its token has run out (15 minutes), the answer goes to the
 * channel instead, so that nothing is lost.
 */
export async function answer(interaction: ChatInputCommandInteraction, text: string): Promise<void> {
  const [first = '…', ...rest] = splitMessage(text);
  try {
    await interaction.editReply({ content: first });
    for (const content of rest) await interaction.followUp({ content });
  } catch (error) {
    if (!isExpired(error) || !interaction.inCachedGuild() || !interaction.channel) throw error;
    for (const content of [first, ...rest]) await interaction.channel.send({ content });
  }
}

function isExpired(error: unknown): boolean {
  return (
    error instanceof DiscordAPIError &&
    (error.code === RESTJSONErrorCodes.InvalidWebhookToken || error.code === RESTJSONErrorCodes.UnknownWebhook)
  );
}
