import {
  joinVoiceChannel,
  NetworkingStatusCode,
  VoiceConnectionDisconnectReason,
  VoiceConnectionStatus,
  type DAVESession,
  type DiscordGatewayAdapterCreator,
  type Networking,
  type VoiceConnection,
  type VoiceConnectionState,
} from '@discordjs/voice';

import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import type { InterruptionCause, SessionEnd, SessionEvents } from './session-events.ts';
import { closeReaction } from './voice-close-codes.ts';
import { retryDiscovery } from './voice-discovery.ts';
import { VoiceGate } from './voice-gate.ts';
import { installVoiceGuards, VoiceFault } from './voice-guards.ts';
import { VoicePackets, type PacketSink } from './voice-packets.ts';
import { isTransportMode, sealDatagram, type TransportKey } from './voice-rtp.ts';

/** From signalling or a lost connection to ready. */
const CONNECT_MS = 5_000;
/** How long the gateway may take to say what a closed call means: moved, ended or removed. */
const EXPLANATION_MS = 5_000;
/** How long Discord may take to allocate another voice server after it took one away. */
const NEW_SERVER_MS = 30_000;
/** A connection that is lost again this soon after it was resumed is not worth resuming. */
const RESUME_AGAIN_MS = 60_000;

export interface SessionOptions {
  readonly guildId: string;
  readonly channelId: string;
  readonly group: string;
  readonly adapterCreator: DiscordGatewayAdapterCreator;
  readonly sink: PacketSink;
  readonly events: SessionEvents;
  readonly clock: Clock;
  readonly log: Log;
}

type Phase =
  /** From signalling, or from a lost connection, to ready. */
  | 'connecting'
  | 'ready'
  /** For what the gateway will say next. */
  | 'waiting'
  | 'over';

/**
 * One voice connection of the library, from signalling to its end. It takes from the library what would otherwise loop,
 * hang or end the process: rejoining on its own, waiting without a deadline, parsing what strangers send. It decides
 * nothing about joining again.
 */
export class VoiceSession {
  readonly packets: VoicePackets;
  /** Resolves once, when the session is over. */
  readonly ended: Promise<SessionEnd>;
  readonly #options: SessionOptions;
  readonly #gate: VoiceGate;
  readonly #connection: VoiceConnection;
  readonly #resolveEnded: (end: SessionEnd) => void;
  #phase: Phase = 'connecting';
  #networking: Networking | undefined;
  #closeCode: number | undefined;
  #resumedAtMs: number | undefined;
  #deadline: Disposable | undefined;
  #discovery: Disposable | undefined;

  constructor(options: SessionOptions) {
    installVoiceGuards();
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<SessionEnd>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    this.packets = new VoicePackets({
      keys: { transport: () => this.#transportKey(), dave: () => this.dave },
      sink: options.sink,
      onUndecryptable: (userId) => options.events.undecryptable(userId),
    });
    this.#arm(CONNECT_MS, { kind: 'timeout' });
    this.#gate = new VoiceGate({
      channelId: options.channelId,
      adapterCreator: options.adapterCreator,
      events: {
        moved: (channelId) => options.events.moved(channelId),
        rights: (rights) => options.events.rights(rights),
        removed: () => this.end({ kind: 'removed', code: this.#closeCode }),
        gatewayLost: () => this.end({ kind: 'no-gateway' }),
        fault: (cause) => this.#fault(cause),
      },
    });
    this.#connection = this.#gate.open(() =>
      joinVoiceChannel({
        guildId: options.guildId,
        channelId: options.channelId,
        group: options.group,
        adapterCreator: (methods) => this.#gate.adapter(methods),
        selfDeaf: false,
        selfMute: false,
        daveEncryption: true,
        // The library's own recovery throws on transition 0; ours is in DaveRecovery.
        decryptionFailureTolerance: Number.MAX_SAFE_INTEGER,
      }),
    );
    this.#listen();
  }

  /** The end-to-end encryption of this call, when there is any. */
  get dave(): DAVESession | undefined {
    const state = this.#networking?.state;
    return state?.code === NetworkingStatusCode.Ready || state?.code === NetworkingStatusCode.Resuming
      ? state.dave
      : undefined;
  }

  /** Round trip to the voice server's socket. */
  get pingMs(): number | undefined {
    return this.#connection.ping.ws;
  }

  /** @returns whether the packet left. It does not while the connection, or a group key that others need, is not ready. */
  sendOpus(packet: Uint8Array): boolean {
    const state = this.#networking?.state;
    if (this.#phase !== 'ready' || state?.code !== NetworkingStatusCode.Ready) return false;
    // Without a group the library would send it unencrypted, and nobody would play it.
    if (state.dave && state.dave.protocolVersion > 0 && state.dave.session?.ready !== true) return false;
    const { connectionData, dave, udp } = state;
    const key = this.#transportKey();
    if (!key) return false;
    try {
      const opus = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
      // A connection that was made anew in the middle of a reply has not said so yet.
      this.setSpeaking(true);
      // The library's own sealing has Node find out anew for each packet what kind of key it has.
      udp.send(sealDatagram(dave?.encrypt(opus) ?? opus, connectionData, key));
      return true;
    } catch (error) {
      this.#options.log.warn({ err: error }, 'voice packet not sent');
      return false;
    }
  }

  setSpeaking(speaking: boolean): void {
    this.#connection.setSpeaking(speaking);
  }

  /** Ends the session from outside. */
  end(end: SessionEnd): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#deadline?.[Symbol.dispose]();
    this.#discovery?.[Symbol.dispose]();
    this.#resolveEnded(end);
  }

  /** Closes the connection; `leave` also tells Discord that we leave the channel. */
  close(leave: boolean): void {
    this.end({ kind: 'left' });
    if (this.#connection.state.status === VoiceConnectionStatus.Destroyed) return;
    try {
      this.#gate.open(() => this.#connection.destroy(leave));
    } catch (error) {
      this.#options.log.warn({ err: error }, 'voice connection not closed cleanly');
    }
  }

  #listen(): void {
    const { clock, events, log } = this.#options;
    const connection = this.#connection;
    connection.on('error', (error) => {
      if (error instanceof VoiceFault) this.#fault(error);
      else log.debug({ err: error }, 'voice connection error');
    });
    connection.on('stateChange', (_before, state) => this.#follow(state));
    connection.on('transitioned', () => this.packets.keysChanged(clock.nowMs()));
    connection.receiver.onUdpMessage = (datagram) => {
      if (this.#phase === 'over') return;
      try {
        this.packets.receive(datagram, clock.nowMs());
      } catch (error) {
        log.error({ err: error }, 'voice packet not handled');
      }
    };
    connection.receiver.ssrcMap.on('update', (_before, { audioSSRC, userId }) => {
      if (typeof userId !== 'string' || !Number.isInteger(audioSSRC)) return;
      this.packets.mapSender(audioSSRC, userId, clock.nowMs());
      events.speaking(userId);
    });
    connection.receiver.ssrcMap.on('delete', ({ userId }) => this.packets.forgetUser(userId));
    // A gateway that answers within the call has already moved the connection on.
    this.#follow(connection.state);
  }

  #fault(cause: unknown): void {
    this.#options.log.warn({ err: cause }, 'voice connection faulted');
    this.end({ kind: 'fault' });
  }

  #follow(state: VoiceConnectionState): void {
    if (this.#phase === 'over') return;
    const networking = 'networking' in state ? state.networking : undefined;
    if (networking && networking !== this.#networking) this.#adopt(networking);
    switch (state.status) {
      case VoiceConnectionStatus.Ready:
        this.#ready();
        break;
      case VoiceConnectionStatus.Connecting:
        this.#connecting(state.networking);
        break;
      case VoiceConnectionStatus.Disconnected:
        this.#disconnected(state.reason);
        break;
      case VoiceConnectionStatus.Signalling:
        // Either the beginning, or a close whose code arrives in a moment.
        break;
      case VoiceConnectionStatus.Destroyed:
        this.end({ kind: 'no-gateway' });
        break;
    }
  }

  /** Another voice server, the first one included: its SSRCs and keys are its own. */
  #adopt(networking: Networking): void {
    this.#networking = networking;
    this.packets.reset();
    networking.once('close', (code) => this.#closed(code));
  }

  #ready(): void {
    if (this.#phase === 'ready') return;
    this.#phase = 'ready';
    this.#closeCode = undefined;
    this.#deadline?.[Symbol.dispose]();
    this.#options.events.ready();
  }

  #connecting(networking: Networking): void {
    if (networking.state.code === NetworkingStatusCode.UdpHandshaking) {
      this.#discovery?.[Symbol.dispose]();
      this.#discovery = retryDiscovery(networking, this.#options.clock);
    }
    if (this.#phase === 'connecting') return;
    const resuming = networking.state.code === NetworkingStatusCode.Resuming;
    this.#interrupt('connecting', resuming ? 'network' : 'server-moved', CONNECT_MS, { kind: 'timeout' });
    if (!resuming) return;
    const nowMs = this.#options.clock.nowMs();
    const again = this.#resumedAtMs !== undefined && nowMs - this.#resumedAtMs < RESUME_AGAIN_MS;
    this.#resumedAtMs = nowMs;
    if (again) this.end({ kind: 'closed', code: 1006 });
  }

  #disconnected(reason: VoiceConnectionDisconnectReason): void {
    switch (reason) {
      case VoiceConnectionDisconnectReason.EndpointRemoved:
        this.#interrupt('waiting', 'no-server', NEW_SERVER_MS, { kind: 'no-server' });
        break;
      case VoiceConnectionDisconnectReason.AdapterUnavailable:
      case VoiceConnectionDisconnectReason.Manual:
        this.end({ kind: 'no-gateway' });
        break;
      case VoiceConnectionDisconnectReason.WebSocketClose:
        // Its code arrives in a moment.
        break;
    }
  }

  #closed(code: number): void {
    if (this.#phase === 'over') return;
    this.#closeCode = code;
    this.#options.log.info({ code }, 'voice socket closed');
    const reaction = closeReaction(code);
    if (reaction === 'removed-or-moved' || reaction === 'call-ended') {
      this.#interrupt('waiting', 'closed', EXPLANATION_MS, { kind: 'closed', code });
    } else {
      this.end({ kind: 'closed', code });
    }
  }

  /** Not ready any more; over in `forMs` unless it is ready by then. */
  #interrupt(phase: 'connecting' | 'waiting', cause: InterruptionCause, forMs: number, end: SessionEnd): void {
    const wasReady = this.#phase === 'ready';
    this.#phase = phase;
    this.#arm(forMs, end);
    if (wasReady) this.#options.events.interrupted(cause);
  }

  #arm(afterMs: number, end: SessionEnd): void {
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = this.#options.clock.after(afterMs, () => this.end(end));
  }

  #transportKey(): TransportKey | undefined {
    const { encryptionMode, secretKey } = this.#connection.receiver.connectionData;
    return secretKey && isTransportMode(encryptionMode) ? { mode: encryptionMode, secretKey } : undefined;
  }
}
