import type { JsonObject } from './entities.ts';
import type { CommandForm } from './rest/command-schema.ts';
import type { World } from './world.ts';

/** Discord's command type numbers. */
export const COMMAND_TYPES = { chatInput: 1, user: 2, message: 3 } as const;

/** A registered command. */
export interface CommandRecord {
  readonly id: string;
  /** Absent: global. */
  readonly guildId?: string;
  readonly type: number;
  readonly name: string;
  /** Changes with every change of the command. */
  readonly version: string;
  /** The command as it was sent, defaults filled in. */
  readonly form: CommandForm;
}

/** The commands of the application: global ones and those of single guilds. */
export class CommandRegistry {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  list(guildId: string | undefined): CommandRecord[] {
    return [...this.#world.commands.values()].filter((command) => command.guildId === guildId);
  }

  get(guildId: string | undefined, id: string): CommandRecord | undefined {
    const command = this.#world.commands.get(id);
    return command?.guildId === guildId ? command : undefined;
  }

  /** The command a person in this guild sees under a name: the guild's own before a global one. */
  visibleIn(guildId: string, type: number, name: string): CommandRecord | undefined {
    const match = (command: CommandRecord): boolean => command.type === type && command.name === name;
    return this.list(guildId).find(match) ?? this.list(undefined).find(match);
  }

  /** Registers a command, in the place of one of the same type and name. */
  put(guildId: string | undefined, form: CommandForm): { command: CommandRecord; isNew: boolean } {
    const same = this.list(guildId).find(({ type, name }) => type === form.type && name === form.name);
    const command = this.#store(guildId, same, form);
    this.#announce();
    return { command, isNew: same === undefined };
  }

  update(command: CommandRecord, form: CommandForm): CommandRecord {
    const updated = this.#store(command.guildId, command, form);
    this.#announce();
    return updated;
  }

  /** Replaces all commands of a scope. Commands that were there before keep their ids. */
  replace(guildId: string | undefined, forms: readonly CommandForm[]): CommandRecord[] {
    const before = this.list(guildId);
    for (const { id } of before) this.#world.commands.delete(id);
    const commands = forms.map((form) =>
      this.#store(
        guildId,
        before.find(({ type, name }) => type === form.type && name === form.name),
        form,
      ),
    );
    this.#announce();
    return commands;
  }

  delete(command: CommandRecord): void {
    this.#world.commands.delete(command.id);
    this.#announce();
  }

  payload(command: CommandRecord): JsonObject {
    return commandPayload(this.#world, command);
  }

  #store(guildId: string | undefined, same: CommandRecord | undefined, form: CommandForm): CommandRecord {
    const unchanged = same && JSON.stringify(same.form) === JSON.stringify(form);
    const command: CommandRecord = {
      id: same?.id ?? this.#world.ids.next(),
      ...(guildId === undefined ? {} : { guildId }),
      type: form.type,
      name: form.name,
      version: unchanged ? same.version : this.#world.ids.next(),
      form,
    };
    this.#world.commands.set(command.id, command);
    return command;
  }

  #announce(): void {
    const names = [...this.#world.commands.values()].map(({ name }) => name);
    this.#world.emit({ type: 'commands-registered', atMs: this.#world.clock.nowMs(), names });
  }
}

/** A command as Discord's API describes it. */
export function commandPayload(world: World, command: CommandRecord): JsonObject {
  return {
    default_member_permissions: null,
    nsfw: false,
    ...(command.guildId === undefined ? { contexts: null, integration_types: [0], dm_permission: true } : {}),
    ...command.form,
    description: command.form['description'] ?? '',
    id: command.id,
    application_id: world.bot.id,
    version: command.version,
    ...(command.guildId === undefined ? {} : { guild_id: command.guildId }),
  };
}
