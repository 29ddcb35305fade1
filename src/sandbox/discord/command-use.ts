import { codePoints } from './code-points.ts';
import type { Upload } from '../control/protocol.ts';
import { Refusal } from '../control/refusal.ts';
import { type AttachmentStore, fromUpload } from './attachments.ts';
import { type CommandRecord, CommandRegistry, COMMAND_TYPES } from './commands.ts';
import type { Channel, Guild, JsonObject, User } from './entities.ts';
import { EntityResolution } from './entity-resolution.ts';
import { may, permissionsIn } from './permissions.ts';
import { type CommandOption, OPTIONS, type ValueOption } from './rest/command-schema.ts';
import type { World } from './world.ts';

type OptionValue = string | number | boolean | Upload;

/** Longest text Discord's client lets one type into an option. */
const MAX_TEXT = 6000;

/** Largest whole number Discord takes: that of a double. */
const MAX_INTEGER = 2 ** 53;

/** Who types it where. */
interface CommandPlace {
  readonly person: User;
  readonly guild: Guild;
  readonly channel: Channel;
}

/** A person typing a slash command: finds it, and checks what is typed as Discord's client does. */
export class CommandUse {
  readonly #store: AttachmentStore;
  readonly #place: CommandPlace;
  readonly #record: CommandRecord;
  /** Subcommand group and subcommand, outermost first. */
  readonly #path: { readonly name: string; readonly type: number }[] = [];
  readonly #options: readonly ValueOption[];
  readonly #resolution: EntityResolution;

  /** @throws {Refusal} when the person sees no such command, or may not use it. */
  constructor(world: World, store: AttachmentStore, place: CommandPlace, command: string) {
    this.#store = store;
    this.#place = place;
    this.#resolution = new EntityResolution(world, place.guild);
    const [name = '', ...path] = command.split(' ');
    const record = new CommandRegistry(world).visibleIn(place.guild.id, COMMAND_TYPES.chatInput, name);
    if (!record) throw new Refusal(`There is no command /${name}.`);
    this.#record = record;
    this.#checkAllowed(world);
    this.#options = this.#descend(path, `/${command}`);
  }

  /** The interaction's data. @throws {Refusal} when an option is missing, unknown or wrong. */
  submit(values: Readonly<Record<string, OptionValue>>): JsonObject {
    const unknown = Object.keys(values).find((name) => !this.#options.some((option) => option.name === name));
    if (unknown !== undefined) throw new Refusal(`/${this.#record.name} has no option ${unknown}.`);
    const options = this.#options.flatMap((option) => {
      const value = values[option.name];
      if (value === undefined || value === '') {
        if (option.required) throw new Refusal(`The option ${option.name} is required.`);
        return [];
      }
      return [{ name: option.name, type: option.type, value: this.#checked(option, value) }];
    });
    return this.#data(options);
  }

  /** The data of an autocomplete interaction while this much has been typed. */
  complete(name: string, typed: string): JsonObject {
    const option = this.#options.find((one) => one.name === name);
    if (!option?.autocomplete) throw new Refusal(`The option ${name} of /${this.#record.name} has no autocomplete.`);
    return this.#data([{ name, type: option.type, value: typed, focused: true }]);
  }

  #data(values: readonly JsonObject[]): JsonObject {
    const options = this.#path.reduceRight<readonly JsonObject[]>(
      (inner, { name, type }) => [{ name, type, options: inner }],
      values,
    );
    return {
      id: this.#record.id,
      name: this.#record.name,
      type: COMMAND_TYPES.chatInput,
      ...(options.length === 0 ? {} : { options }),
      ...this.#resolution.data,
      ...(this.#record.guildId === undefined ? {} : { guild_id: this.#record.guildId }),
    };
  }

  #checkAllowed(world: World): void {
    const { guild, channel, person } = this.#place;
    const member = world.member(guild, person.id);
    const needed = BigInt(this.#record.form.default_member_permissions ?? 0);
    const hasNeeded = (permissionsIn(guild, channel, member) & needed) === needed;
    const contexts = this.#record.form.contexts ?? [0];
    if (!may(guild, channel, member, 'USE_APPLICATION_COMMANDS') || !hasNeeded || !contexts.includes(0)) {
      throw new Refusal(`${person.name} may not use /${this.#record.name} here.`);
    }
  }

  #descend(path: readonly string[], command: string): readonly ValueOption[] {
    const { form } = this.#record;
    let options: readonly CommandOption[] = form.type === COMMAND_TYPES.chatInput ? (form.options ?? []) : [];
    for (const name of path) {
      const inner = options.find((option) => option.name === name);
      if (inner?.type !== OPTIONS.subcommand && inner?.type !== OPTIONS.subcommandGroup) {
        throw new Refusal(`There is no command ${command}.`);
      }
      this.#path.push({ name, type: inner.type });
      options = inner.options ?? [];
    }
    const values = options.filter(isValueOption);
    if (values.length < options.length) throw new Refusal(`${command} needs a subcommand.`);
    return values;
  }

  #checked(option: ValueOption, value: OptionValue): string | number | boolean {
    const { name, type } = option;
    if (type === OPTIONS.attachment) return this.#upload(name, value);
    if (type === OPTIONS.boolean) return expect(name, value, 'boolean');
    if (type === OPTIONS.integer || type === OPTIONS.number)
      return checkedNumber(option, expect(name, value, 'number'));
    if (type === OPTIONS.string) return checkedText(option, expect(name, value, 'string'));
    return this.#resolvedId(option, expect(name, value, 'string'));
  }

  #resolvedId(option: ValueOption, id: string): string {
    if (option.type === OPTIONS.user) this.#resolution.user(id);
    else if (option.type === OPTIONS.role) this.#resolution.role(id);
    else if (option.type === OPTIONS.mentionable) this.#resolution.mentionable(id);
    else this.#resolution.channel(id, this.#place.person.id, option.channel_types);
    return id;
  }

  /** Uploads to commands are seen by the bot alone: Discord keeps them apart from a channel's. */
  #upload(name: string, value: OptionValue): string {
    if (typeof value !== 'object') throw new Refusal(`The option ${name} takes a file.`);
    const attachment = this.#store.store(fromUpload(value), this.#place.channel.id, true);
    this.#resolution.attachment(attachment.id, this.#store.payload(attachment));
    return attachment.id;
  }
}

function isValueOption(option: CommandOption): option is ValueOption {
  return option.type !== OPTIONS.subcommand && option.type !== OPTIONS.subcommandGroup;
}

interface Kinds {
  string: string;
  number: number;
  boolean: boolean;
}

function expect<Kind extends keyof Kinds>(name: string, value: OptionValue, kind: Kind): Kinds[Kind];
function expect(name: string, value: OptionValue, kind: keyof Kinds): OptionValue {
  if (typeof value !== kind) throw new Refusal(`The option ${name} takes a ${kind}.`);
  return value;
}

function checkedText(option: ValueOption, value: string): string {
  checkChoice(option, value);
  const length = codePoints(value);
  const [min, max] = [option.min_length ?? 0, option.max_length ?? MAX_TEXT];
  if (length < min) throw new Refusal(`The option ${option.name} takes at least ${min} characters.`);
  if (length > max) throw new Refusal(`The option ${option.name} takes at most ${max} characters.`);
  return value;
}

function checkedNumber(option: ValueOption, value: number): number {
  checkChoice(option, value);
  if (option.type === OPTIONS.integer && !Number.isInteger(value)) {
    throw new Refusal(`The option ${option.name} takes a whole number.`);
  }
  const [min, max] = [option.min_value ?? -MAX_INTEGER, option.max_value ?? MAX_INTEGER];
  if (value < min || value > max) throw new Refusal(`The option ${option.name} takes a number from ${min} to ${max}.`);
  return value;
}

function checkChoice({ name, choices }: ValueOption, value: string | number): void {
  if (!choices || choices.length === 0 || choices.some((choice) => choice.value === value)) return;
  const known = choices.map((choice) => String(choice.value)).join(', ');
  throw new Refusal(`The option ${name} is one of: ${known}.`);
}
