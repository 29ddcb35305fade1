import type { DiscordGatewayAdapterCreator } from '@discordjs/voice';

import type { Log } from '../telemetry/log.ts';
import { sleep, type Clock } from '../time/clock.ts';
import type { JoinCircuit } from './join-circuit.ts';
import { LinkHealth, type LinkTrouble } from './link-health.ts';
import type { OpusSink, SendResult } from './playout.ts';
import type { SessionEnd } from './session-events.ts';
import type { VoiceRights } from './voice-gate.ts';
import type { PacketOutcome, PacketSink } from './voice-packets.ts';
import { RejoinPolicy, type GoneReason, type NextStep } from './voice-rejoin.ts';
import { VoiceSession } from './voice-session.ts';

export type { LinkTrouble } from './link-health.ts';

/** From asking to join until the first time it is ready: a full channel gives no answer at all. */
const JOIN_DEADLINE_MS = 15_000;

/** Where a link stands. */
export type VoiceLinkState =
  /** Joining for the first time. */
  | { readonly status: 'connecting'; readonly channelId: string }
  /** Sends and receives. */
  | { readonly status: 'ready'; readonly channelId: string }
  /** Neither sends nor receives, but will; or else it is gone within a minute. */
  | { readonly status: 'recovering'; readonly channelId: string; readonly cause: RecoveryCause }
  /**
   * A moderator moved us; what follows is as after `connecting`. Whoever holds the link decides whether the new channel is
   * one we may be in, and leaves if not.
   */
  | { readonly status: 'moved'; readonly channelId: string; readonly fromChannelId: string }
  | { readonly status: 'gone'; readonly reason: GoneReason };

export type RecoveryCause = SessionEnd['kind'] | 'network' | 'server-moved';

export interface VoiceLinkOptions {
  readonly guildId: string;
  readonly channelId: string;
  /** The guild's `voiceAdapterCreator`. */
  readonly adapterCreator: DiscordGatewayAdapterCreator;
  /** Shared by all links of the process. */
  readonly circuit: JoinCircuit;
  readonly clock: Clock;
  readonly log: Log;
  readonly onState?: (state: VoiceLinkState) => void;
  readonly onTrouble?: (trouble: LinkTrouble) => void;
  readonly onRights?: (rights: VoiceRights) => void;
  /** Separates the connections of several bots in one process. Default `default`. */
  readonly group?: string;
  /** For the jitter of delays. Default `Math.random`. */
  readonly random?: () => number;
}

/** A voice channel could not be joined. */
export class VoiceJoinError extends Error {
  override readonly name = 'VoiceJoinError';
  readonly reason: GoneReason;

  constructor(reason: GoneReason) {
    super(`no voice connection: ${reason.kind}`);
    this.reason = reason;
  }
}

/**
 * Our place in one voice channel, kept through everything that can be recovered from. Sends Opus packets, hands on those
 * of the members, and says how it stands. One for each guild at a time.
 */
export class VoiceLink implements OpusSink, AsyncDisposable {
  readonly #options: VoiceLinkOptions;
  readonly #policy: RejoinPolicy;
  readonly #health: LinkHealth;
  readonly #stopping = new AbortController();
  readonly #joined = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  #stopReason: GoneReason = { kind: 'left' };
  #state: VoiceLinkState;
  #channelId: string;
  #session: VoiceSession | undefined;
  #sink: PacketSink | undefined;

  private constructor(options: VoiceLinkOptions) {
    this.#options = options;
    this.#channelId = options.channelId;
    this.#policy = new RejoinPolicy(options.random ?? Math.random);
    this.#health = new LinkHealth({
      clock: options.clock,
      log: options.log,
      session: () => this.#session,
      onTrouble: (trouble) => options.onTrouble?.(trouble),
    });
    this.#state = { status: 'connecting', channelId: options.channelId };
    options.onState?.(this.#state);
    this.#running = this.#run();
  }

  /**
   * Joins a voice channel; resolves once it is ready.
   * @throws {VoiceJoinError} after 15 s at most. An abort leaves again and rejects with the signal's reason.
   */
  static async join(options: VoiceLinkOptions, signal?: AbortSignal): Promise<VoiceLink> {
    signal?.throwIfAborted();
    const retryAfterMs = options.circuit.waitMs(options.guildId);
    if (retryAfterMs > 0) throw new VoiceJoinError({ kind: 'rate-limited', retryAfterMs });
    const link = new VoiceLink(options);
    const onAbort = (): void => link.#stop({ kind: 'left' });
    signal?.addEventListener('abort', onAbort, { once: true });
    using _deadline = options.clock.after(JOIN_DEADLINE_MS, () => link.#stop({ kind: 'join-timeout' }));
    try {
      await link.#joined.promise;
      return link;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  get state(): VoiceLinkState {
    return this.#state;
  }

  /** What became of the datagrams of the present connection. */
  get packetCounts(): Readonly<Partial<Record<PacketOutcome, number>>> {
    return this.#session?.packets.counts ?? {};
  }

  /** Hands packets to `sink`, in place of any sink before, until disposed. */
  receive(sink: PacketSink): Disposable {
    this.#sink = sink;
    return {
      [Symbol.dispose]: () => {
        if (this.#sink === sink) this.#sink = undefined;
      },
    };
  }

  sendOpus(packet: Uint8Array): SendResult {
    if (this.#state.status === 'gone') return 'gone';
    return this.#session?.sendOpus(packet) === true ? 'sent' : 'not-ready';
  }

  setSpeaking(speaking: boolean): void {
    this.#session?.setSpeaking(speaking);
  }

  /**
   * To be called when the bot's main gateway session is lost: Discord then takes it out of voice channels too, which must
   * not be taken for a moderator's doing.
   */
  mainSessionLost(): void {
    this.#policy.mainSessionLost(this.#options.clock.nowMs());
  }

  /** Leaves the channel. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop({ kind: 'left' });
    await this.#running;
  }

  #stop(reason: GoneReason): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopReason = reason;
    this.#stopping.abort();
    this.#session?.end({ kind: 'left' });
  }

  async #run(): Promise<void> {
    const reason = await this.#keepJoined().catch((error: unknown): GoneReason => {
      this.#options.log.error({ err: error }, 'voice link failed');
      return { kind: 'connection-lost' };
    });
    this.#health[Symbol.dispose]();
    if (reason.kind === 'rate-limited') this.#options.circuit.open(this.#options.guildId, reason.retryAfterMs);
    this.#options.log.info({ reason: reason.kind }, 'voice link gone');
    this.#change({ status: 'gone', reason });
    this.#joined.reject(new VoiceJoinError(reason));
    // The caller may have its link already; then nobody looks at the rejection.
    this.#joined.promise.catch(() => undefined);
  }

  /** One session after the other, until there is a reason to stop. */
  async #keepJoined(): Promise<GoneReason> {
    for (;;) {
      const session = this.#open();
      this.#session = session;
      const end = await session.ended;
      this.#session = undefined;
      const step = this.#next(end);
      session.close(end.kind !== 'removed' && (step.kind === 'gone' || step.newSession));
      this.#options.log.info({ end: end.kind, packets: session.packets.counts }, 'voice session ended');
      if (step.kind === 'gone') return step.reason;
      if (this.#state.status !== 'connecting') this.#recovering(end.kind);
      // Rejects only when we are told to stop, which is looked at next.
      await sleep(this.#options.clock, step.afterMs, this.#stopping.signal).catch(() => undefined);
      if (this.#stopping.signal.aborted) return this.#stopReason;
    }
  }

  #next(end: SessionEnd): NextStep {
    if (this.#stopping.signal.aborted) return { kind: 'gone', reason: this.#stopReason };
    return this.#policy.ended(end, this.#options.clock.nowMs());
  }

  #open(): VoiceSession {
    const { guildId, adapterCreator, group = 'default', clock, log } = this.#options;
    return new VoiceSession({
      guildId,
      channelId: this.#channelId,
      group,
      adapterCreator,
      clock,
      log,
      sink: {
        wants: (userId) => this.#sink?.wants(userId) ?? false,
        accept: (packet) => {
          this.#health.heard(packet);
          this.#sink?.accept(packet);
        },
      },
      events: {
        ready: () => this.#ready(),
        interrupted: (cause) => this.#recovering(cause),
        moved: (channelId) => this.#moved(channelId),
        rights: (rights) => this.#rights(rights),
        speaking: (userId) => {
          if (this.#sink?.wants(userId)) this.#health.speaking();
        },
        undecryptable: (userId) => this.#health.undecryptable(userId),
      },
    });
  }

  #ready(): void {
    this.#policy.ready(this.#options.clock.nowMs());
    this.#change({ status: 'ready', channelId: this.#channelId });
    this.#joined.resolve();
  }

  #recovering(cause: RecoveryCause): void {
    this.#health.interrupted();
    this.#change({ status: 'recovering', channelId: this.#channelId, cause });
  }

  #moved(channelId: string): void {
    const wasReady = this.#state.status === 'ready';
    const fromChannelId = this.#channelId;
    this.#channelId = channelId;
    this.#change({ status: 'moved', channelId, fromChannelId });
    if (wasReady && !this.#stopping.signal.aborted) this.#change({ status: 'ready', channelId });
  }

  #rights(rights: VoiceRights): void {
    this.#health.rights(rights);
    this.#options.onRights?.(rights);
  }

  #change(state: VoiceLinkState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }
}
