import type { Clock } from '../../time/clock.ts';
import { Refusal } from '../control/refusal.ts';
import type { SandboxEvent } from '../control/protocol.ts';
import type { CommandRecord } from './commands.ts';
import type { Channel, Guild, JsonObject, Member, Role, User } from './entities.ts';
import { EVERYONE_DEFAULT } from './permissions.ts';
import { SnowflakeSource } from './snowflake.ts';

/** Something that happened, before the gateway decides whether the bot may see it. */
export interface Dispatch {
  readonly event: string;
  readonly data: JsonObject;
  readonly guildId?: string;
  /** Only for members who may view this channel. */
  readonly channelId?: string;
}

export interface WorldOptions {
  readonly clock: Clock;
  readonly emit: (event: SandboxEvent) => void;
  /** Privileged intents switched on for the application: bits of GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT. */
  readonly privilegedIntents: number;
}

/** The state of the sandbox's Discord: guilds, channels, people, the bot and its commands. */
export class World {
  readonly clock: Clock;
  readonly emit: (event: SandboxEvent) => void;
  readonly privilegedIntents: number;
  readonly ids = new SnowflakeSource();
  readonly bot: User;
  readonly guilds = new Map<string, Guild>();
  readonly users = new Map<string, User>();
  /** Members whom the control API moves: everyone but the bot and the owner. */
  readonly people = new Map<string, User>();
  /** Registered commands, by id. */
  readonly commands = new Map<string, CommandRecord>();
  readonly #owner: User;
  readonly #listeners: ((dispatch: Dispatch) => void)[] = [];

  constructor(options: WorldOptions) {
    this.clock = options.clock;
    this.emit = options.emit;
    this.privilegedIntents = options.privilegedIntents;
    this.bot = this.#createUser('Parley', true, 'en-US');
    // Discord gives owners every permission: it must not be one of the people whose permissions tests take away.
    this.#owner = this.#createUser('Owner', false, 'en-US');
  }

  onDispatch(listener: (dispatch: Dispatch) => void): void {
    this.#listeners.push(listener);
  }

  publish(dispatch: Dispatch): void {
    for (const listener of this.#listeners) listener(dispatch);
  }

  createGuild(name: string): Guild {
    const id = this.ids.next();
    const everyone: Role = { id, name: '@everyone', permissions: EVERYONE_DEFAULT, position: 0 };
    const botRole: Role = {
      id: this.ids.next(),
      name: this.bot.name,
      permissions: 0n,
      position: 1,
      botId: this.bot.id,
    };
    const guild: Guild = {
      id,
      name,
      ownerId: this.#owner.id,
      roles: new Map([everyone, botRole].map((role) => [role.id, role])),
      members: new Map(),
      channels: new Map(),
      voiceStates: new Map(),
      joinedAt: new Date().toISOString(),
      available: true,
    };
    this.guilds.set(id, guild);
    this.addMember(guild, this.#owner);
    this.addMember(guild, this.bot, [botRole.id]);
    return guild;
  }

  createChannel(guild: Guild, name: string, kind: 'text' | 'voice' | 'stage', userLimit = 0): Channel {
    const channel: Channel = {
      id: this.ids.next(),
      guildId: guild.id,
      kind,
      name,
      position: guild.channels.size,
      userLimit,
      overwrites: new Map(),
      messages: new Map(),
    };
    guild.channels.set(channel.id, channel);
    return channel;
  }

  createPerson(guild: Guild, name: string, options: { locale?: string; bot?: boolean } = {}): Member {
    const user = this.#createUser(name, options.bot ?? false, options.locale ?? 'en-US');
    this.people.set(user.id, user);
    return this.addMember(guild, user);
  }

  addMember(guild: Guild, user: User, roles: string[] = []): Member {
    const member: Member = { user, roles, joinedAt: new Date().toISOString(), serverMute: false, serverDeaf: false };
    guild.members.set(user.id, member);
    return member;
  }

  #createUser(name: string, bot: boolean, locale: string): User {
    const user: User = { id: this.ids.next(), name, bot, locale };
    this.users.set(user.id, user);
    return user;
  }

  /** The channel with its guild, whichever guild it is in. */
  findChannel(channelId: string): { guild: Guild; channel: Channel } | undefined {
    for (const guild of this.guilds.values()) {
      const channel = guild.channels.get(channelId);
      if (channel) return { guild, channel };
    }
    return undefined;
  }

  botMember(guild: Guild): Member {
    return this.member(guild, this.bot.id);
  }

  /** @throws {Refusal} when there is no such guild. */
  guild(guildId: string): Guild {
    const guild = this.guilds.get(guildId);
    if (!guild) throw new Refusal(`There is no guild ${guildId}.`);
    return guild;
  }

  /** @throws {Refusal} when there is no such channel. */
  channel(channelId: string): { guild: Guild; channel: Channel } {
    const found = this.findChannel(channelId);
    if (!found) throw new Refusal(`There is no channel ${channelId}.`);
    return found;
  }

  /** @throws {Refusal} when there is no such person. */
  person(personId: string): User {
    const person = this.people.get(personId);
    if (!person) throw new Refusal(`There is no person ${personId}.`);
    return person;
  }

  /** @throws {Refusal} when the user is not in the guild. */
  member(guild: Guild, userId: string): Member {
    const member = guild.members.get(userId);
    if (!member) throw new Refusal(`User ${userId} is not a member of ${guild.name}.`);
    return member;
  }
}
