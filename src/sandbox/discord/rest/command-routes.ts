import { type CommandRecord, CommandRegistry, COMMAND_TYPES } from '../commands.ts';
import type { World } from '../world.ts';
import { accessibleGuild } from './access.ts';
import { type CommandForm, commandSchema } from './command-schema.ts';
import { DiscordError } from './errors.ts';
import { invalidForm, isObject, parseForm } from './form.ts';
import { LIMITS, NO_CONTENT, type RestCall, type Route } from './route.ts';

/** Chat input commands; user and message commands have a limit of their own ("Application Command Limits"). */
const MAX_CHAT_COMMANDS = 100;
const MAX_MENU_COMMANDS = 15;

/** `/applications/{id}/commands` and `/applications/{id}/guilds/{guild}/commands`. */
export function commandRoutes(world: World): Route[] {
  const registry = new CommandRegistry(world);
  const globalBase = '/applications/:applicationId/commands';
  const guildBase = '/applications/:applicationId/guilds/:guildId/commands';
  return [globalBase, guildBase].flatMap((base) => routesUnder(base, world, registry));
}

function routesUnder(base: string, world: World, registry: CommandRegistry): Route[] {
  const common = { limit: LIMITS.other, major: ['guildId'] } as const;
  const payload = (command: CommandRecord) => registry.payload(command);
  return [
    {
      ...common,
      method: 'GET',
      path: base,
      handle(call) {
        const commands = registry.list(scopeOf(world, call)).map(payload);
        const whole = call.query.get('with_localizations') === 'true';
        return { status: 200, json: whole ? commands : withoutLocalizations(commands) };
      },
    },
    {
      ...common,
      method: 'PUT',
      path: base,
      async handle(call) {
        const { json } = await call.body();
        const scope = scopeOf(world, call);
        const forms = parseAll(json);
        checkCounts(forms);
        return { status: 200, json: registry.replace(scope, forms).map(payload) };
      },
    },
    {
      ...common,
      method: 'POST',
      path: base,
      async handle(call) {
        const { json } = await call.body();
        const scope = scopeOf(world, call);
        const form = parseForm(commandSchema, json);
        const others = registry.list(scope).filter(({ type, name }) => type !== form.type || name !== form.name);
        checkCounts([...others, form]);
        const { command, isNew } = registry.put(scope, form);
        return { status: isNew ? 201 : 200, json: payload(command) };
      },
    },
    {
      ...common,
      method: 'GET',
      path: `${base}/:commandId`,
      handle: (call) => ({ status: 200, json: payload(findCommand(world, registry, call)) }),
    },
    {
      ...common,
      method: 'PATCH',
      path: `${base}/:commandId`,
      async handle(call) {
        const { json } = await call.body();
        const command = findCommand(world, registry, call);
        const form = parseForm(commandSchema, { ...command.form, ...(isObject(json) ? json : {}), type: command.type });
        return { status: 200, json: payload(registry.update(command, form)) };
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: `${base}/:commandId`,
      handle(call) {
        registry.delete(findCommand(world, registry, call));
        return NO_CONTENT;
      },
    },
  ];
}

/** The guild the commands belong to; nothing for global ones. */
function scopeOf(world: World, call: RestCall): string | undefined {
  if (call.param('applicationId') !== world.bot.id) throw new DiscordError('missingAccess');
  const guildId = call.param('guildId');
  return guildId === '' ? undefined : accessibleGuild(world, guildId).id;
}

function findCommand(world: World, registry: CommandRegistry, call: RestCall): CommandRecord {
  const command = registry.get(scopeOf(world, call), call.param('commandId'));
  if (!command) throw new DiscordError('unknownCommand');
  return command;
}

/** Lists leave the dictionaries of translations out unless they are asked for. */
function withoutLocalizations(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withoutLocalizations);
  if (!isObject(json)) return json;
  const kept = Object.entries(json).filter(([key]) => !key.endsWith('_localizations'));
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutLocalizations(value)]));
}

function parseAll(json: unknown): CommandForm[] {
  if (!Array.isArray(json)) {
    const message = 'Only iterables may be used in a ListType';
    throw invalidForm({ path: [], code: 'LIST_TYPE_CONVERT', message });
  }
  const forms = json.map((item, index) => parseForm(commandSchema, item, [index]));
  const seen = new Set<string>();
  for (const [index, { type, name }] of forms.entries()) {
    if (seen.has(`${type} ${name}`)) {
      const message = 'Application command names must be unique';
      throw invalidForm({ path: [index], code: 'APPLICATION_COMMANDS_DUPLICATE_NAME', message });
    }
    seen.add(`${type} ${name}`);
  }
  return forms;
}

function checkCounts(commands: readonly { readonly type: number }[]): void {
  for (const type of Object.values(COMMAND_TYPES)) {
    const limit = type === COMMAND_TYPES.chatInput ? MAX_CHAT_COMMANDS : MAX_MENU_COMMANDS;
    if (commands.filter((command) => command.type === type).length > limit) throw new DiscordError('tooManyCommands');
  }
}
