import { Refusal } from '../control/refusal.ts';
import type { Guild, JsonObject } from './entities.ts';
import { channelPayload, channelType, partialMemberPayload, rolePayload, userPayload } from './payloads.ts';
import { permissionsIn } from './permissions.ts';
import type { World } from './world.ts';

/** What ids in an interaction stand for ("Resolved Data Structure"). */
export class EntityResolution {
  readonly #world: World;
  readonly #guild: Guild;
  readonly #resolved: Record<string, JsonObject> = {};

  constructor(world: World, guild: Guild) {
    this.#world = world;
    this.#guild = guild;
  }

  /** Empty when nothing needed resolving. */
  get data(): { resolved?: Record<string, JsonObject> } {
    return Object.keys(this.#resolved).length === 0 ? {} : { resolved: this.#resolved };
  }

  /** @throws {Refusal} when there is no such member. */
  user(id: string): void {
    const member = this.#guild.members.get(id);
    if (!member) throw new Refusal(`There is no member ${id} in ${this.#guild.name}.`);
    const [anyChannel] = this.#guild.channels.values();
    const permissions = anyChannel ? permissionsIn(this.#guild, anyChannel, member) : 0n;
    this.#add('users', id, userPayload(member.user));
    this.#add('members', id, { ...partialMemberPayload(member), permissions: permissions.toString() });
  }

  /** @throws {Refusal} when there is no such role. */
  role(id: string): void {
    const role = this.#guild.roles.get(id);
    if (!role) throw new Refusal(`There is no role ${id} in ${this.#guild.name}.`);
    this.#add('roles', id, rolePayload(role));
  }

  /** @throws {Refusal} when there is no such channel, or none of an allowed type. */
  channel(id: string, personId: string, types: readonly number[] | null | undefined): void {
    const channel = this.#guild.channels.get(id);
    if (!channel) throw new Refusal(`There is no channel ${id} in ${this.#guild.name}.`);
    if (types && types.length > 0 && !types.includes(channelType(channel))) {
      throw new Refusal(`${channel.name} is not one of the kinds of channel that can be chosen here.`);
    }
    const person = this.#world.member(this.#guild, personId);
    this.#add('channels', id, {
      ...channelPayload(channel),
      permissions: permissionsIn(this.#guild, channel, person).toString(),
      app_permissions: permissionsIn(this.#guild, channel, this.#world.botMember(this.#guild)).toString(),
    });
  }

  /** A role or a member. @throws {Refusal} when it is neither. */
  mentionable(id: string): void {
    if (this.#guild.roles.has(id)) this.role(id);
    else this.user(id);
  }

  attachment(id: string, payload: JsonObject): void {
    this.#add('attachments', id, payload);
  }

  #add(kind: string, id: string, payload: JsonObject): void {
    this.#resolved[kind] = { ...this.#resolved[kind], [id]: payload };
  }
}
