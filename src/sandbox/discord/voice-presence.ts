import { randomBytes } from 'node:crypto';
import { Refusal } from '../control/refusal.ts';
import type { CallMember, VoiceService } from '../voice/service.ts';
import type { Channel, Guild, Member, VoiceState } from './entities.ts';
import { voiceStatePayload } from './payloads.ts';
import { may } from './permissions.ts';
import type { World } from './world.ts';

/** Close codes the bot's voice socket is closed with ("Voice Close Event Codes"). */
const DISCONNECTED = 4014;
const CALL_TERMINATED = 4022;

/** What a member's own client has switched on. */
export interface SelfVoice {
  readonly selfMute: boolean;
  readonly selfDeaf: boolean;
}

/** What the voice server has to be told of who is in which call. */
export type VoiceCalls = Pick<
  VoiceService,
  'admitBot' | 'updateBot' | 'removeBot' | 'addPerson' | 'updatePerson' | 'removePerson'
>;

/** Gives the bot a new place on a voice server. */
export type AnnounceVoiceServer = (guildId: string, token: string, endpoint: string) => void;

/** Who is in which call. Changes are told to the bot and to the voice server. */
export class VoicePresence {
  readonly #world: World;
  readonly #voice: VoiceCalls;
  readonly #announce: AnnounceVoiceServer;
  /** Guilds in which the bot's voice socket is up: there an unchanged channel brings no new voice server. */
  readonly #connected = new Set<string>();

  constructor(world: World, voice: VoiceCalls, announce: AnnounceVoiceServer) {
    this.#world = world;
    this.#voice = voice;
    this.#announce = announce;
  }

  /** Whether the bot's voice socket in this guild is up, as the voice server says. */
  setConnected(guildId: string, connected: boolean): void {
    if (connected) this.#connected.add(guildId);
    else this.#connected.delete(guildId);
  }

  /**
   * The bot's opcode 4. As Discord does, a channel that is full or forbidden is answered by nothing at all.
   * `sessionId` is its gateway session.
   */
  requestForBot(guildId: string, channelId: string | null, self: SelfVoice, sessionId: string): void {
    const guild = this.#world.guilds.get(guildId);
    if (!guild?.available) return;
    const bot = this.#world.botMember(guild);
    if (channelId === null) {
      this.disconnect(guild, bot.user.id);
      return;
    }
    const channel = guild.channels.get(channelId);
    if (!channel || refusalReason(guild, channel, bot) !== undefined) return;
    this.#place(guild, channel, bot, self, sessionId);
  }

  /** @throws {Refusal} when the channel cannot be joined. */
  join(userId: string, channelId: string, self: SelfVoice): void {
    const { guild, channel } = this.#world.channel(channelId);
    const member = this.#world.member(guild, userId);
    const reason = refusalReason(guild, channel, member);
    if (reason !== undefined) throw new Refusal(reason);
    const elsewhere = this.#findState(userId);
    if (elsewhere && elsewhere.guild.id !== guild.id) this.disconnect(elsewhere.guild, userId);
    const sessionId = elsewhere?.state.sessionId ?? randomBytes(16).toString('hex');
    this.#place(guild, channel, member, self, sessionId);
  }

  /** @throws {Refusal} when the person is in no voice channel. */
  leave(userId: string): void {
    const found = this.#stateOf(userId);
    this.disconnect(found.guild, userId);
  }

  /** @throws {Refusal} when the person is in no voice channel. */
  setSelf(userId: string, self: Partial<SelfVoice>): void {
    const { guild, state } = this.#stateOf(userId);
    state.selfMute = self.selfMute ?? state.selfMute;
    state.selfDeaf = self.selfDeaf ?? state.selfDeaf;
    this.#changed(guild, state);
  }

  /** A moderator moves or disconnects a member. @throws {Refusal} when the member is in no voice channel. */
  move(guildId: string, userId: string, channelId: string | null): void {
    const guild = this.#world.guild(guildId);
    const member = this.#world.member(guild, userId);
    const state = guild.voiceStates.get(userId);
    if (!state) throw new Refusal(`${member.user.name} is in no voice channel.`);
    if (channelId === null) {
      this.disconnect(guild, userId, DISCONNECTED);
      return;
    }
    const channel = guild.channels.get(channelId);
    if (!channel || !isVoice(channel)) throw new Refusal(`There is no voice channel ${channelId} in ${guild.name}.`);
    this.#place(guild, channel, member, state, state.sessionId);
  }

  /** What a moderator does to a member's voice; suppression needs a call to be in. */
  setServerVoice(
    guildId: string,
    userId: string,
    change: { serverMute?: boolean; serverDeaf?: boolean; suppress?: boolean },
  ): void {
    const guild = this.#world.guild(guildId);
    const member = this.#world.member(guild, userId);
    const state = guild.voiceStates.get(userId);
    if (change.suppress !== undefined && !state) throw new Refusal(`${member.user.name} is in no voice channel.`);
    member.serverMute = change.serverMute ?? member.serverMute;
    member.serverDeaf = change.serverDeaf ?? member.serverDeaf;
    if (!state) return;
    state.suppress = change.suppress ?? state.suppress;
    this.#changed(guild, state);
  }

  /** Permissions of a channel changed: who may no longer speak there is suppressed, and the other way round. */
  refreshSpeaking(guild: Guild, channel: Channel): void {
    if (channel.kind !== 'voice') return;
    for (const state of guild.voiceStates.values()) {
      if (state.channelId !== channel.id) continue;
      const suppress = !may(guild, channel, this.#world.member(guild, state.userId), 'SPEAK');
      if (suppress === state.suppress) continue;
      state.suppress = suppress;
      this.#changed(guild, state);
    }
  }

  /** The channel is gone: nobody is in it any more. */
  endCall(guild: Guild, channelId: string): void {
    for (const state of guild.voiceStates.values()) {
      if (state.channelId === channelId) this.disconnect(guild, state.userId, CALL_TERMINATED);
    }
  }

  /** The bot's gateway session is over, and with it every call it was in through that session. */
  endSession(sessionId: string): void {
    for (const guild of this.#world.guilds.values()) {
      const state = guild.voiceStates.get(this.#world.bot.id);
      if (state?.sessionId === sessionId) this.disconnect(guild, this.#world.bot.id, DISCONNECTED);
    }
  }

  disconnect(guild: Guild, userId: string, closeCode?: number): void {
    const state = guild.voiceStates.get(userId);
    if (!state) return;
    guild.voiceStates.delete(userId);
    this.#tell(guild, state, null);
    if (userId === this.#world.bot.id) {
      this.#connected.delete(guild.id);
      this.#voice.removeBot(guild.id, closeCode);
    } else {
      this.#voice.removePerson(guild.id, userId);
    }
  }

  /** A member's own voice state changed: the REST route for stages uses this. */
  announceChange(guild: Guild, state: VoiceState): void {
    this.#changed(guild, state);
  }

  #place(guild: Guild, channel: Channel, member: Member, self: SelfVoice, sessionId: string): void {
    const before = guild.voiceStates.get(member.user.id);
    const moved = before?.channelId !== channel.id || before.sessionId !== sessionId;
    const state: VoiceState = {
      guildId: guild.id,
      userId: member.user.id,
      channelId: channel.id,
      sessionId,
      selfMute: self.selfMute,
      selfDeaf: self.selfDeaf,
      suppress: moved ? isSuppressed(guild, channel, member) : before.suppress,
    };
    guild.voiceStates.set(member.user.id, state);
    if (member.user.id === this.#world.bot.id) this.#placeBot(guild, state, before !== undefined, moved);
    else this.#placePerson(guild, state, before !== undefined, moved);
  }

  #placeBot(guild: Guild, state: VoiceState, wasInCall: boolean, moved: boolean): void {
    if (!moved && this.#connected.has(guild.id)) {
      this.#changed(guild, state);
      return;
    }
    this.#connected.delete(guild.id);
    if (wasInCall && moved) this.#voice.removeBot(guild.id, DISCONNECTED);
    const { token, endpoint } = this.#voice.admitBot({ ...this.#callMember(guild, state), sessionId: state.sessionId });
    this.#tell(guild, state, state.channelId);
    this.#announce(guild.id, token, endpoint);
  }

  #placePerson(guild: Guild, state: VoiceState, wasInCall: boolean, moved: boolean): void {
    if (wasInCall && !moved) {
      this.#changed(guild, state);
      return;
    }
    if (wasInCall) this.#voice.removePerson(guild.id, state.userId);
    this.#tell(guild, state, state.channelId);
    this.#voice.addPerson(this.#callMember(guild, state));
  }

  #changed(guild: Guild, state: VoiceState): void {
    this.#tell(guild, state, state.channelId);
    const member = this.#callMember(guild, state);
    if (state.userId === this.#world.bot.id) this.#voice.updateBot(member);
    else this.#voice.updatePerson(member);
  }

  #tell(guild: Guild, state: VoiceState, channelId: string | null): void {
    this.#world.publish({
      event: 'VOICE_STATE_UPDATE',
      data: voiceStatePayload(guild, state, channelId),
      guildId: guild.id,
    });
    this.#world.emit({
      type: 'voice-state',
      atMs: this.#world.clock.nowMs(),
      guildId: guild.id,
      userId: state.userId,
      channelId,
    });
  }

  #callMember(guild: Guild, state: VoiceState): CallMember {
    const member = this.#world.member(guild, state.userId);
    return {
      guildId: guild.id,
      channelId: state.channelId,
      userId: state.userId,
      muted: state.selfMute || member.serverMute || state.suppress,
      deafened: state.selfDeaf || member.serverDeaf,
    };
  }

  #findState(userId: string): { guild: Guild; state: VoiceState } | undefined {
    for (const guild of this.#world.guilds.values()) {
      const state = guild.voiceStates.get(userId);
      if (state) return { guild, state };
    }
    return undefined;
  }

  #stateOf(userId: string): { guild: Guild; state: VoiceState } {
    const found = this.#findState(userId);
    if (!found) throw new Refusal(`${this.#world.users.get(userId)?.name ?? userId} is in no voice channel.`);
    return found;
  }
}

function isVoice(channel: Channel): boolean {
  return channel.kind === 'voice' || channel.kind === 'stage';
}

/** Why a member cannot join, or nothing. Who may move members may also join a full channel. */
function refusalReason(guild: Guild, channel: Channel, member: Member): string | undefined {
  if (!isVoice(channel)) return `${channel.name} is no voice channel.`;
  if (!may(guild, channel, member, 'VIEW_CHANNEL', 'CONNECT')) {
    return `${member.user.name} may not connect to ${channel.name}.`;
  }
  const others = [...guild.voiceStates.values()].filter(
    ({ channelId, userId }) => channelId === channel.id && userId !== member.user.id,
  );
  const full = channel.userLimit > 0 && others.length >= channel.userLimit;
  return full && !may(guild, channel, member, 'MOVE_MEMBERS') ? `${channel.name} is full.` : undefined;
}

/** On a stage everybody starts in the audience, moderators apart. */
function isSuppressed(guild: Guild, channel: Channel, member: Member): boolean {
  return channel.kind === 'stage'
    ? !may(guild, channel, member, 'MUTE_MEMBERS')
    : !may(guild, channel, member, 'SPEAK');
}
