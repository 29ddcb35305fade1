import { randomBytes } from 'node:crypto';

import type { WebSocket } from 'ws';

import { BotLink } from './bot-link.ts';
import { BotMedia } from './bot-media.ts';
import type { Call, CallContext } from './call.ts';
import type { Calls } from './calls.ts';
import type { VoiceListener } from './listener.ts';
import type { Network } from './network.ts';
import type { CallMember } from './service.ts';
import type { TransportMode } from './transport-cipher.ts';
import type { Address, UdpReceiver } from './udp.ts';
import { CLOSE, endsAdmission } from './voice-codes.ts';
import type { Identify, Resume, VoiceDoor } from './voice-socket.ts';

/** A bot that has asked the gateway for a place in a call. */
interface Admission {
  readonly call: Call;
  readonly sessionId: string;
  member: CallMember;
  /** Undefined once it has been used up by a close code that says so. */
  token: string | undefined;
  link: BotLink | undefined;
}

/** What a voice session is opened with. */
export interface LinkDefaults {
  modes: readonly TransportMode[];
  /** Undefined: required while the call's DAVE version is 1. */
  daveRequired: boolean | undefined;
}

/** The bots that may connect or are connected, one a guild: who is let in, and whose datagrams are whose. */
export class Bots implements UdpReceiver, Disposable {
  readonly defaults: LinkDefaults;
  readonly #calls: Calls;
  readonly #context: CallContext;
  readonly #network: Network;
  readonly #byGuild = new Map<string, Admission>();
  readonly #bySsrc = new Map<number, BotLink>();

  constructor(calls: Calls, context: CallContext, network: Network, defaults: LinkDefaults) {
    this.#calls = calls;
    this.#context = context;
    this.#network = network;
    this.defaults = defaults;
  }

  /** The voice sessions there are. */
  get links(): BotLink[] {
    return [...this.#byGuild.values()].flatMap(({ link }) => link ?? []);
  }

  /** A place in a call. Whoever was in another call is out of it; in the same one the session goes on until it is replaced. */
  admit(member: CallMember, sessionId: string): string {
    const before = this.#byGuild.get(member.guildId);
    if (before && before.call.channelId !== member.channelId) this.remove(member.guildId, CLOSE.disconnected);
    const call = this.#calls.of(member);
    if (!call.botConnected) call.startAnew(this.#calls.version);
    call.seatBot(member);
    const token = newToken();
    const link = before?.call === call ? before.link : undefined;
    this.#byGuild.set(member.guildId, { call, sessionId, member, token, link });
    return token;
  }

  update(member: CallMember): void {
    const admission = this.#byGuild.get(member.guildId);
    if (!admission || admission.call.channelId !== member.channelId) return;
    admission.member = member;
    admission.call.seatBot(member);
  }

  remove(guildId: string, closeCode: number): void {
    const admission = this.#byGuild.get(guildId);
    if (!admission) return;
    this.#byGuild.delete(guildId);
    admission.link?.end(closeCode);
    admission.call.unseatBot();
    this.#calls.sweep(admission.call);
  }

  /** New tokens for everybody, as for a move to another server. The old sessions stay until they are replaced. */
  *readmit(): Generator<{ guildId: string; token: string; link: BotLink | undefined }> {
    for (const [guildId, admission] of this.#byGuild) {
      admission.token = newToken();
      yield { guildId, token: admission.token, link: admission.link };
    }
  }

  /** Lets the sockets of one listener in. */
  door(listener: VoiceListener): VoiceDoor {
    return {
      identify: (socket, request) => this.#identify(socket, request, listener),
      resume: (socket, request) => this.#resume(socket, request),
    };
  }

  discovered(ssrc: number, from: Address): boolean {
    const link = this.#bySsrc.get(ssrc);
    if (!link || this.#context.faults.takeDroppedDiscovery()) return false;
    link.media.discovered(from);
    link.announceIfReady();
    return true;
  }

  datagram(ssrc: number, datagram: Buffer, from: Address, atMs: number): void {
    this.#bySsrc.get(ssrc)?.media.receive(datagram, from, atMs);
  }

  [Symbol.dispose](): void {
    for (const guildId of this.#byGuild.keys()) this.remove(guildId, CLOSE.disconnected);
  }

  #identify(socket: WebSocket, request: Identify, listener: VoiceListener): BotLink | number {
    const admission = this.#find(request.guildId);
    if (!admission || request.userId !== admission.member.userId) return CLOSE.authenticationFailed;
    if (!matches(admission, request)) return CLOSE.sessionNoLongerValid;
    const { call, link: replaced } = admission;
    const daveRequired = this.defaults.daveRequired ?? call.version === 1;
    if (daveRequired && request.maxDaveVersion < 1) return CLOSE.daveRequired;
    // Forgotten first: its close code is not to use up the token that the new session has come with.
    admission.link = undefined;
    replaced?.end(CLOSE.sessionNoLongerValid);
    const link = this.#open(admission, request.maxDaveVersion, listener);
    admission.link = link;
    call.connect(link);
    link.begin(socket, call.peopleIds);
    return link;
  }

  #resume(socket: WebSocket, request: Resume): BotLink | number {
    const admission = this.#find(request.guildId);
    const link = admission?.link;
    if (!admission || !link || !matches(admission, request)) return CLOSE.sessionNoLongerValid;
    return link.resume(socket, request.acknowledged) ? link : CLOSE.sessionNoLongerValid;
  }

  #open(admission: Admission, maxDaveVersion: 0 | 1, listener: VoiceListener): BotLink {
    const { clock, random, faults, emit } = this.#context;
    const { call, member } = admission;
    const { guildId, channelId, userId } = member;
    const ssrc = this.#context.newSsrc();
    const media = new BotMedia({
      ssrc,
      udp: listener.udp,
      network: this.#network,
      faults,
      random,
      onPacket: (rtp, atMs) => call.fromBot(rtp, atMs),
    });
    const link: BotLink = new BotLink({
      userId,
      ssrc,
      media,
      maxDaveVersion,
      modes: this.defaults.modes,
      serverPort: listener.udp.port,
      group: call.group,
      clock,
      events: {
        described: () => call.described(link),
        ready: (mode, daveVersion) =>
          emit({ type: 'bot-voice-ready', atMs: clock.nowMs(), guildId, channelId, mode, daveVersion }),
        gone: (code) => emit({ type: 'bot-voice-gone', atMs: clock.nowMs(), guildId, code }),
        ended: (code) => {
          this.#bySsrc.delete(ssrc);
          call.disconnect(link);
          const current = this.#byGuild.get(guildId);
          if (current?.link !== link) return;
          current.link = undefined;
          if (endsAdmission(code)) current.token = undefined;
        },
      },
    });
    this.#bySsrc.set(ssrc, link);
    return link;
  }

  #find(guildId: unknown): Admission | undefined {
    return typeof guildId === 'string' ? this.#byGuild.get(guildId) : undefined;
  }
}

function matches(admission: Admission, request: { token: unknown; sessionId: unknown }): boolean {
  return (
    admission.token !== undefined && admission.token === request.token && admission.sessionId === request.sessionId
  );
}

function newToken(): string {
  return randomBytes(8).toString('hex');
}
