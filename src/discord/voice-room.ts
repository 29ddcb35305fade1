import {
  PermissionFlagsBits,
  type Guild,
  type GuildBasedChannel,
  type VoiceBasedChannel,
  type VoiceState,
} from 'discord.js';

import type { Speaker } from '../conversation/ports.ts';

/** The people in the voice channel of a call. */
export class VoiceRoom {
  /** A moderator may move the call. */
  channelId: string;
  readonly #guild: Guild;
  readonly #mayHear: (userId: string) => boolean;

  /** `mayHear`: whether this person agrees to be heard. */
  constructor(guild: Guild, channelId: string, mayHear: (userId: string) => boolean) {
    this.channelId = channelId;
    this.#guild = guild;
    this.#mayHear = mayHear;
  }

  get channel(): VoiceBasedChannel | undefined {
    const channel = this.#guild.channels.cache.get(this.channelId);
    return channel?.isVoiceBased() ? channel : undefined;
  }

  /** How many there are, bots not counted. */
  get peopleCount(): number {
    return this.#people().length;
  }

  has(userId: string): boolean {
    return this.#people().some(({ id }) => id === userId);
  }

  /** Whether everyone here can see a channel. */
  canSee(channel: GuildBasedChannel): boolean {
    return this.#people().every(
      ({ member }) => member && channel.permissionsFor(member).has(PermissionFlagsBits.ViewChannel),
    );
  }

  /** Who may be heard: people in our channel whom no moderator has silenced. Bots would answer each other without end. */
  admit(userId: string): Speaker | undefined {
    const state = this.#people().find(({ id }) => id === userId);
    const member = state?.member;
    if (!member || state.serverMute || member.isCommunicationDisabled() || !this.#mayHear(userId)) return undefined;
    return { id: userId, name: member.displayName };
  }

  /** The ids of those who are heard when they speak, and of those who are not. */
  get ears(): { readonly heard: readonly string[]; readonly unheard: readonly string[] } {
    const ids = this.#people().map(({ id }) => id);
    return {
      heard: ids.filter((id) => this.admit(id) !== undefined),
      unheard: ids.filter((id) => this.admit(id) === undefined),
    };
  }

  #people(): VoiceState[] {
    const { cache } = this.#guild.voiceStates;
    return [...cache.values()].filter(
      ({ channelId, member }) => channelId === this.channelId && member?.user.bot === false,
    );
  }
}
