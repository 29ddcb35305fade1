import type { Client } from 'discord.js';

import type { Log } from '../telemetry/log.ts';
import type { Command } from './command.ts';

/** Tells Discord which commands Parley has, when that differs from what Discord already knows. */
export async function registerCommands(client: Client<true>, commands: readonly Command[], log: Log): Promise<void> {
  const registered = await client.application.commands.fetch({ withLocalizations: true });
  const unchanged =
    registered.size === commands.length &&
    commands.every(({ data }) => registered.some((known) => known.name === data.name && known.equals(data, true)));
  if (unchanged) {
    log.info({ commands: commands.length }, 'commands unchanged');
    return;
  }
  await client.application.commands.set(commands.map((command) => command.data));
  log.info({ commands: commands.length }, 'commands registered');
}
