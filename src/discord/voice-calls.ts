import { Events, GatewayOpcodes, type Client, type Message, type VoiceState } from 'discord.js';

import type { SettingsOfChannels } from '../conversation/channel-settings.ts';
import type { ChannelSettings } from '../conversation/ports.ts';
import type { TurnStats } from '../conversation/turn-stats.ts';
import { UserError } from '../language/user-error.ts';
import type { CallEnding, Words } from '../language/words.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import type { PanelMessage } from './call-panel.ts';
import { followChannels } from './channel-events.ts';
import { JoinCircuit } from './join-circuit.ts';
import { checkPlace, type Place } from './place.ts';
import type { StartCall } from './start-call.ts';
import { VoiceCall } from './voice-call.ts';
import { VoiceJoinError } from './voice-link.ts';

/** How long Parley stays in a channel that everyone has left. */
const ALONE_MS = 60_000;

export interface JoinRequest extends Place {
  readonly words: Words;
  /** Tells the channel that Parley listens, and how it stands. Done before anybody is heard. */
  readonly announce: (panel: PanelMessage) => Promise<Message>;
}

export interface VoiceCallsParts {
  readonly client: Client;
  readonly startCall: StartCall;
  /** Whether this person agrees to be heard. */
  readonly mayHear: (userId: string) => boolean;
  readonly settings: SettingsOfChannels;
  readonly stats: TurnStats;
  readonly clock: Clock;
  readonly log: Log;
}

interface Active {
  readonly call: VoiceCall;
  readonly words: Words;
  /** Running while nobody but us is there. */
  alone: Disposable | undefined;
}

/** The voice calls of this process: one for each server at most. */
export class VoiceCalls implements AsyncDisposable {
  readonly #parts: VoiceCallsParts;
  readonly #circuit: JoinCircuit;
  readonly #active = new Map<string, Active>();
  /** What a server's calls are doing now; the next thing waits for it. */
  readonly #lines = new Map<string, Promise<unknown>>();
  /** Servers whose call has ended since the main gateway was last heard to be there: it may not have been told. */
  readonly #ended = new Set<string>();
  readonly #stopping = new AbortController();

  constructor(parts: VoiceCallsParts) {
    const { client } = parts;
    this.#parts = parts;
    this.#circuit = new JoinCircuit(parts.clock);
    client.on(Events.VoiceStateUpdate, (before, after) => this.#voiceState(before, after));
    client.on(Events.ChannelDelete, (channel) => {
      if (channel.isVoiceBased() && this.#active.get(channel.guildId)?.call.channelId === channel.id) {
        this.#end(channel.guildId, 'channel-deleted');
      }
    });
    followChannels(client, (guildId, goneChannelId) => this.#keepWriting(guildId, goneChannelId));
    client.on(Events.GuildDelete, (guild) => this.#end(guild.id, 'removed'));
    client.on(Events.ShardReconnecting, () => {
      for (const { call } of this.#active.values()) call.mainSessionLost();
    });
    client.on(Events.ShardReady, (shardId) => this.#leaveStrays(shardId));
    client.on(Events.ShardResume, (shardId) => this.#leaveStrays(shardId));
  }

  /**
   * Joins a voice channel; a call elsewhere on the server ends for it.
   * @throws {UserError} that says what is missing.
   */
  async join(request: JoinRequest): Promise<'joined' | 'already-here'> {
    const { guildId } = request.voiceChannel;
    return this.#inLine(guildId, async () => {
      if (this.#stopping.signal.aborted) throw new UserError({ type: 'plain', id: 'shutting-down' });
      if (this.#active.get(guildId)?.call.channelId === request.voiceChannel.id) return 'already-here';
      checkPlace(request);
      await this.#leaveNow(guildId);
      await this.#start(request);
      return 'joined';
    });
  }

  /** Leaves the server's call; `false` when there is none. */
  leave(guildId: string): Promise<boolean> {
    return this.#inLine(guildId, () => this.#leaveNow(guildId));
  }

  /** Whose conversation a text channel belongs to: the call's whose words appear there, or its own. */
  conversationOf(guildId: string, channelId: string): string {
    const call = this.#active.get(guildId)?.call;
    return call && [call.textChannelId, call.channelId].includes(channelId) ? call.conversationId : channelId;
  }

  /** The channel in which a conversation is held: its own, or where a moderator has moved its call. */
  channelOf(guildId: string, conversationId: string): string {
    const call = this.#active.get(guildId)?.call;
    return call?.conversationId === conversationId ? call.channelId : conversationId;
  }

  /** What holds for the call that a channel belongs to; `undefined`: it belongs to none. */
  settingsOf(guildId: string, channelId: string): ChannelSettings | undefined {
    const call = this.#active.get(guildId)?.call;
    return call && [call.textChannelId, call.channelId].includes(channelId) ? call.settings : undefined;
  }

  /** The call that a command belongs to: by its channel, or because whoever uses it is there. */
  callFor(guildId: string, channelId: string, userId: string): VoiceCall | undefined {
    const call = this.#active.get(guildId)?.call;
    return call?.concerns(channelId, userId) ? call : undefined;
  }

  /**
   * The call whose panel a message is.
   * @throws {UserError} when that call has ended, be it with a process before this one.
   */
  async ofPanel(guildId: string, messageId: string): Promise<VoiceCall> {
    // The panel can be seen a moment before its call has begun.
    await this.#lines.get(guildId);
    const call = this.#active.get(guildId)?.call;
    if (!call?.isPanel(messageId)) throw new UserError({ type: 'plain', id: 'old-panel' });
    return call;
  }

  /** Somebody means Parley with what they say now or next. `false`: they are in no call, or not heard there. */
  address(guildId: string, userId: string): boolean {
    return this.#active.get(guildId)?.call.address(userId) ?? false;
  }

  /** Somebody chose whether they want to be heard, wherever they are. */
  choseHearing(userId: string, optedOut: boolean): void {
    for (const { call } of this.#active.values()) {
      if (optedOut) call.withdrawn(userId);
      call.changed();
    }
  }

  /** Something else holds for a channel from now on. */
  settingsChanged(channelId: string): void {
    for (const { call } of this.#active.values()) {
      if ([call.conversationId, call.textChannelId].includes(channelId)) call.changed();
    }
  }

  /** Leaves every call and tells their channels. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    const guilds = [...this.#active.keys()];
    for (const guildId of guilds) this.#tell(guildId, 'shutdown');
    await Promise.all(guilds.map((guildId) => this.leave(guildId)));
  }

  async #start({ voiceChannel, textChannel, words, announce }: JoinRequest): Promise<void> {
    const { guild, guildId } = voiceChannel;
    const ended = Promise.withResolvers<CallEnding>();
    try {
      const call = await VoiceCall.start(
        {
          guild,
          channelId: voiceChannel.id,
          textChannel,
          words,
          announce,
          ...this.#parts,
          circuit: this.#circuit,
          onEnded: ended.resolve,
        },
        this.#stopping.signal,
      );
      this.#active.set(guildId, { call, words, alone: undefined });
      // It may have ended while it was being announced.
      void ended.promise.then((ending) => this.#end(guildId, ending));
      this.#watchAlone(guildId);
      this.#parts.log.info({ guild: guildId, channel: voiceChannel.id }, 'call started');
    } catch (error) {
      if (error instanceof VoiceJoinError) {
        throw new UserError({ type: 'call', ending: error.reason.kind }, { cause: error });
      }
      throw error;
    }
  }

  async #leaveNow(guildId: string): Promise<boolean> {
    const active = this.#active.get(guildId);
    if (!active) return false;
    this.#active.delete(guildId);
    this.#ended.add(guildId);
    active.alone?.[Symbol.dispose]();
    await active.call.leave();
    this.#parts.log.info({ guild: guildId, channel: active.call.channelId }, 'call ended');
    return true;
  }

  /** Leaves voice channels in which we still stand, because nobody could be told when their calls ended. */
  #leaveStrays(shardId: number): void {
    for (const guildId of this.#ended) {
      const guild = this.#parts.client.guilds.cache.get(guildId);
      if (guild && guild.shardId !== shardId) continue;
      this.#ended.delete(guildId);
      if (!guild?.members.me?.voice.channelId || this.#active.has(guildId) || this.#lines.has(guildId)) continue;
      const place = { guild_id: guildId, channel_id: null, self_mute: false, self_deaf: false };
      guild.shard.send({ op: GatewayOpcodes.VoiceStateUpdate, d: place });
      this.#parts.log.info({ guild: guildId }, 'left a voice channel that had no call any more');
    }
  }

  /** The call is over without anybody having asked for it. */
  #end(guildId: string, ending: CallEnding): void {
    if (!this.#active.has(guildId)) return;
    this.#parts.log.info({ guild: guildId, ending }, 'call is over');
    this.#tell(guildId, ending);
    this.#leaveSoon(guildId);
  }

  /** A call without words would listen where nobody can see that it does: it ends instead. */
  #keepWriting(guildId: string, goneChannelId: string | undefined): void {
    const call = this.#active.get(guildId)?.call;
    if (!call || call.channelId === goneChannelId || call.keepWriting(goneChannelId)) return;
    this.#parts.log.info({ guild: guildId }, 'call is over: its words can appear nowhere');
    this.#leaveSoon(guildId);
  }

  #leaveSoon(guildId: string): void {
    this.leave(guildId).catch((error: unknown) => this.#parts.log.error({ err: error }, 'call not ended cleanly'));
  }

  #tell(guildId: string, ending: CallEnding): void {
    const active = this.#active.get(guildId);
    active?.call.notice(active.words.call.gone[ending]);
  }

  #voiceState(before: VoiceState, after: VoiceState): void {
    const active = this.#active.get(after.guild.id);
    if (!active) return;
    const { call } = active;
    if (after.id !== this.#parts.client.user?.id) {
      if (before.channelId === call.channelId && after.channelId !== call.channelId) call.silenced(after.id, 'absent');
      else if (after.channelId === call.channelId && after.mute && !before.mute) call.silenced(after.id, 'muted');
    }
    call.changed();
    this.#watchAlone(after.guild.id);
  }

  /** Leaves a channel in which nobody has been for a minute. */
  #watchAlone(guildId: string): void {
    const active = this.#active.get(guildId);
    if (!active) return;
    if (active.call.peopleCount > 0) {
      active.alone?.[Symbol.dispose]();
      active.alone = undefined;
    } else {
      active.alone ??= this.#parts.clock.after(ALONE_MS, () => this.#end(guildId, 'alone'));
    }
  }

  /** Runs one thing after the other for a server, so that two commands at once cannot get in each other's way. */
  async #inLine<T>(guildId: string, run: () => Promise<T>): Promise<T> {
    const before = this.#lines.get(guildId) ?? Promise.resolve();
    const turn = before.then(run);
    const settled = turn.catch(() => {});
    this.#lines.set(guildId, settled);
    try {
      return await turn;
    } finally {
      if (this.#lines.get(guildId) === settled) this.#lines.delete(guildId);
    }
  }
}
