import { randomUUID } from 'node:crypto';

import type { Guild, GuildTextBasedChannel, Message } from 'discord.js';

import type { Frame } from '../audio/frame.ts';
import { levelDbfs } from '../audio/level.ts';
import type { SettingsOfChannels } from '../conversation/channel-settings.ts';
import { EchoGate } from '../conversation/echo-gate.ts';
import { InterludePlayer, type InterludeEnd, type InterludeKind } from '../conversation/interlude.ts';
import type { CallPhase, ChannelSettings, RunningCall } from '../conversation/ports.ts';
import type { TurnStats } from '../conversation/turn-stats.ts';
import type { TurnTimings } from '../conversation/turn-timings.ts';
import type { CallEnding, Words } from '../language/words.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import type { PanelMessage } from './call-panel.ts';
import { CallText } from './call-text.ts';
import type { JoinCircuit } from './join-circuit.ts';
import { missingPermissions, VOICE_PERMISSIONS } from './permissions.ts';
import { Playout } from './playout.ts';
import type { StartCall } from './start-call.ts';
import type { VoiceRights } from './voice-gate.ts';
import { VoiceTracks } from './voice-input.ts';
import { VoiceLink, type LinkTrouble, type VoiceLinkState } from './voice-link.ts';
import { VoiceRoom } from './voice-room.ts';

export interface VoiceCallOptions {
  readonly guild: Guild;
  readonly channelId: string;
  /** Where the words appear. */
  readonly textChannel: GuildTextBasedChannel;
  readonly words: Words;
  /** Tells the channel that we listen, and how it stands. Done before anybody is heard. */
  readonly announce: (panel: PanelMessage) => Promise<Message>;
  readonly settings: SettingsOfChannels;
  readonly stats: TurnStats;
  readonly startCall: StartCall;
  /** Whether this person agrees to be heard. */
  readonly mayHear: (userId: string) => boolean;
  readonly circuit: JoinCircuit;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once, when the call is over by itself. */
  readonly onEnded: (ending: CallEnding) => void;
}

/** Our presence in one voice channel of Discord: the connection, what comes in and goes out of it, and where the words go. */
export class VoiceCall {
  /** Where it was called, and where its words appear as long as they can. */
  readonly textChannelId: string;
  /** The conversation goes with the people when a moderator moves the call. */
  readonly conversationId: string;
  readonly #options: VoiceCallOptions;
  readonly #log: Log;
  readonly #room: VoiceRoom;
  readonly #text: CallText;
  readonly #stop = new AbortController();
  #link: VoiceLink | undefined;
  #input: VoiceTracks | undefined;
  #output: Playout | undefined;
  #interludes: InterludePlayer | undefined;
  #running: RunningCall | undefined;
  #phase: CallPhase = 'listening';
  #recovering = false;
  #rights: VoiceRights = { serverMute: false, serverDeaf: false, suppressed: false };

  private constructor(options: VoiceCallOptions, stopping: AbortSignal) {
    this.#options = options;
    this.textChannelId = options.textChannel.id;
    this.conversationId = options.channelId;
    const { guild, channelId, mayHear, settings, log } = options;
    this.#log = log.child({ guild: guild.id, channel: channelId });
    this.#room = new VoiceRoom(guild, channelId, mayHear);
    this.#text = new CallText({
      ...options,
      voices: settings.voices,
      facts: () => ({
        voiceChannel: `<#${this.channelId}>`,
        phase: this.#phase,
        ...this.#room.ears,
        settings: this.settings,
      }),
      log: this.#log,
      stopping,
    });
  }

  /**
   * Joins, tells the channel and begins to listen.
   * @param signal Aborts when Parley stops.
   * @throws {VoiceJoinError} when Discord does not let us in.
   */
  static async start(options: VoiceCallOptions, signal: AbortSignal): Promise<VoiceCall> {
    const call = new VoiceCall(options, signal);
    await call.#join(signal);
    try {
      await Promise.all([call.conversationId, call.textChannelId].map((id) => options.settings.load(id)));
      await call.#text.panel.begin(options.announce);
      call.#text.tellUnseeing(call.#room);
    } catch (error) {
      await call.leave();
      throw error;
    }
    call.#listen();
    return call;
  }

  /** The voice channel, which a moderator may have changed. */
  get channelId(): string {
    return this.#room.channelId;
  }

  /** Leaves, after what is being written has been written. */
  async leave(): Promise<void> {
    this.#stop.abort();
    await this.#link?.[Symbol.asyncDispose]();
    await this.#running?.ended.catch(() => {});
    this.#output?.[Symbol.dispose]();
    await this.#text[Symbol.asyncDispose]();
  }

  /** A sentence for the people in the text channel. */
  notice(text: string): void {
    this.#text.captions.notice(text);
  }

  /** See {@link CallText.keepWriting}. */
  keepWriting(goneChannelId: string | undefined): boolean {
    return this.#text.keepWriting(this.#room.channel, goneChannelId);
  }

  /** Something about the people here, or about what they chose, may have changed. */
  changed(): void {
    this.#text.tellUnseeing(this.#room);
    this.#text.panel.changed();
  }

  /** Whether a message is the panel of this call. */
  isPanel(messageId: string): boolean {
    return this.#text.panel.isIn(messageId);
  }

  /** Somebody means Parley with what they say now or next. `false`: they are not here, or not heard. */
  address(userId: string): boolean {
    if (!this.#running || !this.#room.admit(userId)) return false;
    this.#running.address(userId);
    return true;
  }

  /** Ends the answer that is being given, if there is one. */
  stopAnswer(): void {
    this.#running?.stop();
  }

  /** Plays sound that is no answer: see {@link InterludePlayer.play}. */
  async play(frames: AsyncIterable<Frame>, kind: InterludeKind, signal: AbortSignal): Promise<InterludeEnd> {
    const both = AbortSignal.any([signal, this.#stop.signal]);
    return (await this.#interludes?.play(frames, kind, both)) ?? { reached: 'gone', playedFrames: 0 };
  }

  /** A member left, was moved, or muted themselves. */
  silenced(userId: string, why: 'absent' | 'muted'): void {
    this.#input?.silenced(userId, why);
  }

  /** A member does not want to be heard any more. */
  withdrawn(userId: string): void {
    this.#input?.withdrawn(userId);
  }

  mainSessionLost(): void {
    this.#link?.mainSessionLost();
  }

  /** Whether a text channel is this call's, or somebody is in it. */
  concerns(channelId: string, userId: string): boolean {
    return [this.textChannelId, this.channelId].includes(channelId) || this.#room.has(userId);
  }

  /** People in the channel who can hear us. */
  get peopleCount(): number {
    return this.#room.peopleCount;
  }

  /** What people chose for this call. */
  get settings(): ChannelSettings {
    return this.#options.settings.of(this.conversationId, this.textChannelId);
  }

  async #join(signal: AbortSignal): Promise<void> {
    const { guild, circuit, clock } = this.#options;
    this.#link = await VoiceLink.join(
      {
        guildId: guild.id,
        channelId: this.channelId,
        adapterCreator: guild.voiceAdapterCreator,
        // One process may run several bots in the same server, such as in tests.
        group: guild.client.user.id,
        circuit,
        clock,
        log: this.#log,
        onState: (state) => this.#follow(state),
        onTrouble: (trouble) => this.#trouble(trouble),
        onRights: (rights) => this.#followRights(rights),
      },
      signal,
    );
  }

  #listen(): void {
    const link = this.#link;
    if (!link) return;
    const { startCall, words, stats, clock, onEnded } = this.#options;
    this.#input = new VoiceTracks({
      source: link,
      admit: (userId) => this.#room.admit(userId),
      clock,
      log: this.#log,
    });
    const echoes = new EchoGate();
    const onFrame = (frame: Frame): void => echoes.sent(levelDbfs(frame), clock.nowMs());
    this.#output = new Playout({ sink: link, onFrame, clock, log: this.#log });
    this.#interludes = new InterludePlayer({ output: this.#output, clock });
    const call = {
      conversationId: this.conversationId,
      guildId: this.#options.guild.id,
      shownIn: this.textChannelId,
      callId: randomUUID(),
      input: this.#input,
      output: this.#output,
      echoes,
      interludes: this.#interludes,
      captions: this.#text.captions,
      words,
      settings: () => this.settings,
      peopleCount: () => this.peopleCount,
      onPhase: (phase: CallPhase) => {
        this.#phase = phase;
        this.#text.panel.changed();
      },
      onTimings: (timings: TurnTimings) => {
        for (const id of new Set([this.conversationId, this.textChannelId])) stats.add(id, timings);
      },
      log: this.#log,
    };
    this.#running = startCall(call, this.#stop.signal);
    this.#running.ended.catch((error: unknown) => {
      this.#log.error({ err: error }, 'call failed');
      if (!this.#stop.signal.aborted) onEnded('fault');
    });
  }

  #follow(state: VoiceLinkState): void {
    const { words, onEnded } = this.#options;
    switch (state.status) {
      case 'connecting':
        break;
      case 'ready':
        if (this.#recovering) this.notice(words.call.recovered);
        this.#recovering = false;
        break;
      case 'recovering':
        // A voice server that is changed for another costs nothing that people would notice.
        this.#recovering = state.cause !== 'server-moved' && state.cause !== 'network';
        break;
      case 'moved':
        this.#moved(state.channelId);
        break;
      case 'gone':
        if (!this.#stop.signal.aborted) onEnded(state.reason.kind);
        break;
    }
  }

  /** Follows a moderator's move where we may listen and speak, and says so; the conversation goes with the people. */
  #moved(channelId: string): void {
    const { words, onEnded } = this.#options;
    this.#room.channelId = channelId;
    const { channel } = this.#room;
    if (!channel || missingPermissions(channel, VOICE_PERMISSIONS).length > 0) {
      onEnded('moved-without-permission');
      return;
    }
    this.#text.panel.changed();
    this.notice(words.call.movedTo(channel.toString()));
  }

  #followRights(rights: VoiceRights): void {
    const { words } = this.#options;
    if ((rights.serverMute || rights.suppressed) && !this.#rights.serverMute && !this.#rights.suppressed) {
      this.notice(words.call.serverMuted);
    }
    if (rights.serverDeaf && !this.#rights.serverDeaf) this.notice(words.call.serverDeafened);
    this.#rights = rights;
  }

  #trouble(trouble: LinkTrouble): void {
    if (trouble.kind !== 'slow') this.notice(this.#options.words.call.deaf);
  }
}
