import type { WebSocket } from 'ws';

import type { Clock } from '../../time/clock.ts';
import type { BotMedia } from './bot-media.ts';
import type { DaveGroup } from './dave-group.ts';
import type { DaveMember } from './dave-member.ts';
import { HandedOn } from './handed-on.ts';
import { uint } from './mls-wire.ts';
import { Outbox } from './outbox.ts';
import { TRANSPORT_MODES, type TransportMode } from './transport-cipher.ts';
import { CLOSE, OP, isResumable } from './voice-codes.ts';

/** A lost session can be resumed for this long. */
const RESUME_LIMIT_MS = 30_000;

type Phase =
  /** Opcode 2 is out; opcode 1 is awaited. */
  | { readonly kind: 'identified' }
  /** Opcode 4 is out: sound may flow. */
  | { readonly kind: 'ready'; readonly mode: TransportMode }
  | { readonly kind: 'ended' };

/** What a link tells its call. */
export interface BotLinkEvents {
  /** It may be sent sound and DAVE messages from now on. */
  described(): void;
  /** It can send and receive, end-to-end encryption included; again after each resume. */
  ready(mode: TransportMode, daveVersion: 0 | 1): void;
  /** The socket is gone; with a resumable code the session is not yet. */
  gone(code: number): void;
  /** The session is over; `code` is what the socket was closed with. */
  ended(code: number): void;
}

/** One voice session of a bot: what its voice gateway socket carries, over more than one socket when it resumes. */
export class BotLink implements DaveMember {
  readonly userId: string;
  readonly ssrc: number;
  readonly media: BotMedia;
  /** The newest DAVE version the client offered. */
  readonly maxDaveVersion: 0 | 1;
  readonly #modes: readonly TransportMode[];
  readonly #serverPort: number;
  readonly #group: DaveGroup;
  readonly #clock: Clock;
  readonly #events: BotLinkEvents;
  readonly #outbox = new Outbox();
  readonly #knownSsrcs = new Set<number>();
  readonly #handedOn = new HandedOn();
  #socket: WebSocket | undefined;
  #phase: Phase = { kind: 'identified' };
  #wasReady = false;
  #resumeTimer: Disposable | undefined;

  constructor(options: {
    userId: string;
    ssrc: number;
    media: BotMedia;
    maxDaveVersion: 0 | 1;
    modes: readonly TransportMode[];
    serverPort: number;
    group: DaveGroup;
    clock: Clock;
    events: BotLinkEvents;
  }) {
    this.userId = options.userId;
    this.ssrc = options.ssrc;
    this.media = options.media;
    this.maxDaveVersion = options.maxDaveVersion;
    this.#modes = options.modes;
    this.#serverPort = options.serverPort;
    this.#group = options.group;
    this.#clock = options.clock;
    this.#events = options.events;
  }

  /** Sound may be sent: opcode 4 is out and the address is known. */
  get open(): boolean {
    return this.#phase.kind === 'ready' && this.media.address !== undefined;
  }

  /** Answers an identify: opcode 2, then (never before it) who else is here. */
  begin(socket: WebSocket, others: readonly string[]): void {
    this.#socket = socket;
    this.#send(OP.ready, {
      ssrc: this.ssrc,
      ip: '127.0.0.1',
      port: this.#serverPort,
      modes: this.#modes,
      experiments: [],
      streams: [],
    });
    this.clientsConnected(others);
  }

  /** Answers a resume with what was missed. False when that is not known any more. */
  resume(socket: WebSocket, acknowledged: number): boolean {
    const missed = this.#outbox.since(acknowledged);
    if (!missed || this.#phase.kind === 'ended') return false;
    this.#resumeTimer?.[Symbol.dispose]();
    this.#socket?.terminate();
    this.#socket = socket;
    // Resumed first: a client that still waits for it does not look at DAVE messages.
    socket.send(JSON.stringify({ op: OP.resumed, d: null }));
    for (const data of missed) socket.send(data);
    this.#wasReady = false;
    this.announceIfReady();
    return true;
  }

  /** A JSON message of an identified client. */
  message(op: number, d: Record<string, unknown>): void {
    // A socket may still have something to say after it was told to close.
    if (this.#phase.kind === 'ended') return;
    switch (op) {
      case OP.selectProtocol:
        this.#selectProtocol(d);
        break;
      case OP.speaking:
        if (d['ssrc'] === this.ssrc) this.media.speaking();
        break;
      case OP.daveTransitionReady:
        if (typeof d['transition_id'] === 'number') this.#group.transitionReady(this.userId, d['transition_id']);
        break;
      case OP.daveInvalidCommitWelcome:
        this.#group.invalid(this.userId);
        break;
      case OP.identify:
      case OP.resume:
        this.end(CLOSE.alreadyAuthenticated);
        break;
      default:
        if (op < 0 || op > OP.highest) this.end(CLOSE.unknownOpcode);
    }
  }

  /** A binary message of an identified client. */
  binary(op: number, payload: Buffer): void {
    if (this.#phase.kind === 'ended') return;
    if (op === OP.daveKeyPackage) this.#group.keyPackage(this.userId, payload);
    else if (op === OP.daveCommitWelcome) this.#group.commit(this.userId, payload);
  }

  clientsConnected(userIds: readonly string[]): void {
    if (userIds.length > 0) this.#send(OP.clientsConnect, { user_ids: userIds });
  }

  clientDisconnected(userId: string): void {
    this.#send(OP.clientDisconnect, { user_id: userId });
  }

  /** Opcode 5: whose packets carry this SSRC. Returns whether the client did not know it before. */
  personSpeaking(userId: string, ssrc: number): boolean {
    const isNew = !this.#knownSsrcs.has(ssrc);
    this.#knownSsrcs.add(ssrc);
    this.#send(OP.speaking, { user_id: userId, ssrc, speaking: 1 });
    return isNew;
  }

  /** Calls `run` once the client has handed on everything sent so far. */
  whenHandedOn(run: () => void): void {
    if (this.#socket) this.#handedOn.after(this.#socket, run);
  }

  /** Sends a frame as it is, without a sequence number of ours. */
  sendRaw(data: string | Buffer): void {
    this.#socket?.send(data);
  }

  /** Tells once per session and resume that everything is in place. */
  announceIfReady(): void {
    if (this.#wasReady || this.#phase.kind !== 'ready' || !this.open || !this.#group.settled) return;
    this.#wasReady = true;
    this.#events.ready(this.#phase.mode, this.#group.version);
  }

  /** The socket closed by itself or by the client. */
  socketClosed(socket: WebSocket, code: number): void {
    if (socket !== this.#socket || this.#phase.kind === 'ended') return;
    // 1000 is the client's goodbye: it has thrown the session away.
    if (code === 1000 || !isResumable(code)) this.#over(code);
    else this.#lost(code);
  }

  /** Closes the socket with `code`; the session stays resumable for codes after which a client resumes. */
  close(code: number): void {
    if (this.#phase.kind === 'ended') return;
    closeSocket(this.#socket, code);
    if (isResumable(code)) this.#lost(code);
    else this.#over(code);
  }

  /** Closes the socket and ends the session whatever the code. */
  end(code: number): void {
    if (this.#phase.kind === 'ended') return;
    closeSocket(this.#socket, code);
    this.#over(code);
  }

  /** Cuts the TCP connection. */
  cut(): void {
    this.close(CLOSE.abnormal);
  }

  externalSender(packageBytes: Buffer): void {
    this.#sendBinary(OP.daveExternalSender, packageBytes);
  }

  proposals(payload: Buffer): void {
    this.#sendBinary(OP.daveProposals, payload);
  }

  announceCommit(transitionId: number, commit: Buffer): void {
    this.#sendBinary(OP.daveAnnounceCommit, Buffer.concat([uint(transitionId, 2), commit]));
    this.#confirmUnordered(transitionId);
  }

  welcome(transitionId: number, welcome: Buffer): void {
    this.#sendBinary(OP.daveWelcome, Buffer.concat([uint(transitionId, 2), welcome]));
    this.#confirmUnordered(transitionId);
  }

  prepareEpoch(version: number): void {
    this.#send(OP.davePrepareEpoch, { protocol_version: version, epoch: 1 });
  }

  prepareTransition(transitionId: number, version: number): void {
    this.#send(OP.davePrepareTransition, { transition_id: transitionId, protocol_version: version });
  }

  executeTransition(transitionId: number): void {
    if (transitionId !== 0) this.#send(OP.daveExecuteTransition, { transition_id: transitionId });
  }

  #selectProtocol(d: Record<string, unknown>): void {
    const data = d['data'];
    const wanted = typeof data === 'object' && data !== null && 'mode' in data ? data.mode : undefined;
    const mode = TRANSPORT_MODES.find((known) => known === wanted && this.#modes.includes(known));
    if (d['protocol'] !== 'udp') {
      this.end(CLOSE.unknownProtocol);
    } else if (!mode) {
      this.end(CLOSE.unknownEncryptionMode);
    } else if (this.#phase.kind === 'identified') {
      this.#phase = { kind: 'ready', mode };
      this.media.start(mode);
      this.#send(OP.sessionDescription, {
        audio_codec: 'opus',
        video_codec: 'H264',
        media_session_id: this.ssrc.toString(16).padStart(32, '0'),
        mode,
        secret_key: [...this.media.key],
        dave_protocol_version: Math.min(this.#group.version, this.maxDaveVersion),
      });
      this.#group.join(this);
      this.#events.described();
      this.announceIfReady();
    }
  }

  /** Clients do not answer transition 0. */
  #confirmUnordered(transitionId: number): void {
    if (transitionId !== 0) return;
    this.whenHandedOn(() => this.#phase.kind !== 'ended' && this.#group.transitionReady(this.userId, transitionId));
  }

  #lost(code: number): void {
    if (!this.#socket) return;
    this.#socket = undefined;
    this.#events.gone(code);
    this.#resumeTimer?.[Symbol.dispose]();
    this.#resumeTimer = this.#clock.after(RESUME_LIMIT_MS, () => this.#over(code));
  }

  #over(code: number): void {
    const told = this.#socket === undefined;
    this.#resumeTimer?.[Symbol.dispose]();
    this.#socket = undefined;
    this.#phase = { kind: 'ended' };
    if (!told) this.#events.gone(code);
    this.#events.ended(code);
  }

  #send(op: number, d: unknown): void {
    const text = this.#outbox.json(op, d); // kept for a resume even while there is no socket
    this.#socket?.send(text);
  }

  #sendBinary(op: number, payload: Buffer): void {
    const bytes = this.#outbox.binary(op, payload);
    this.#socket?.send(bytes);
  }
}

function closeSocket(socket: WebSocket | undefined, code: number): void {
  // 1005, 1006 and 1015 say that there was no close frame; none can be sent.
  if ([1005, 1006, 1015].includes(code)) socket?.terminate();
  else socket?.close(code);
}
