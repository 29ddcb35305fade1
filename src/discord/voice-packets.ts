import { OPUS_SILENCE } from '../audio/frame.ts';
import type { SequencedPacket } from '../audio/jitter-buffer.ts';
import { ReplayWindow } from './replay-window.ts';
import { openDatagram, readRtpHeader, type TransportKey } from './voice-rtp.ts';

/** Half a second of packets: how much of a talkspurt's head is kept until it can be attributed and opened. */
const HOLD_MS = 500;
const MAX_HELD_PACKETS = 25;
/** Senders held at a time. Only packets that the voice server sealed are held, so this is not an attacker's to fill. */
const MAX_HELD_SENDERS = 16;
/** More senders than a voice channel has members. */
const MAX_SENDERS = 256;

/** @discordjs/voice and Discord's own clients expect up to this many failures around a change of keys. */
const TOLERATED_DAVE_FAILURES = 36;

/** One Opus packet of one member, authenticated and decrypted. */
export interface VoicePacket extends SequencedPacket {
  readonly userId: string;
  readonly opus: Buffer;
}

/** Where packets go. */
export interface PacketSink {
  /** Packets of anybody else are dropped before they are decrypted. */
  wants(userId: string): boolean;
  accept(packet: VoicePacket): void;
}

/** End-to-end encryption as the library's DAVESession offers it. */
export interface Dave {
  /** 0 while the call is not end-to-end encrypted. */
  readonly protocolVersion: number;
  readonly session?: { readonly ready: boolean } | undefined;
  /** `null`, or an error, when the packet cannot be opened. */
  decrypt(packet: Buffer, userId: string): Buffer | null;
}

/** The connection's keys of the moment. */
interface PacketKeys {
  transport(): TransportKey | undefined;
  dave(): Dave | undefined;
}

export interface VoicePacketsOptions {
  readonly keys: PacketKeys;
  readonly sink: PacketSink;
  /** A member's packets have failed end-to-end decryption {@link TOLERATED_DAVE_FAILURES} times in a row, once more. */
  readonly onUndecryptable: (userId: string) => void;
}

/** What became of each datagram. */
export type PacketOutcome =
  | 'ok'
  | 'short'
  | 'bad-header'
  | 'no-key'
  | 'auth-fail'
  | 'replay'
  /** Nothing in it, or only zeros: some voice servers send such packets. */
  | 'empty'
  | 'unknown-ssrc'
  | 'not-wanted'
  | 'dave-not-ready'
  | 'dave-fail'
  /** Waiting for opcode 5 or for end-to-end keys; counted again under what becomes of it. */
  | 'held';

interface Sealed extends SequencedPacket {
  /** Opened as far as the transport's key goes. */
  readonly payload: Buffer;
}

type Opened = { readonly outcome: 'ok'; readonly packet: VoicePacket } | { readonly outcome: Refusal };
type Refusal = 'unknown-ssrc' | 'not-wanted' | 'dave-not-ready' | 'dave-fail' | 'empty';

/**
 * Turns datagrams into Opus packets with their sender and RTP position, in place of the library's receiver. Anybody can
 * send us a datagram: each one is checked, and whatever fails is dropped and counted, so that no packet can end a stream,
 * let alone the process.
 *
 * The head of a talkspurt can arrive before opcode 5 says whose it is, or before the end-to-end keys of a newcomer are
 * agreed: such packets are held for up to {@link HOLD_MS} and delivered in order once they can be opened.
 */
export class VoicePackets {
  readonly #options: VoicePacketsOptions;
  readonly #users = new Map<number, string>();
  readonly #held = new Map<number, Sealed[]>();
  readonly #replays = new ReplayWindow();
  readonly #failures = new Map<string, number>();
  readonly #counts: Record<PacketOutcome, number> = {
    ok: 0,
    short: 0,
    'bad-header': 0,
    'no-key': 0,
    'auth-fail': 0,
    replay: 0,
    empty: 0,
    'unknown-ssrc': 0,
    'not-wanted': 0,
    'dave-not-ready': 0,
    'dave-fail': 0,
    held: 0,
  };

  constructor(options: VoicePacketsOptions) {
    this.#options = options;
  }

  get counts(): Readonly<Record<PacketOutcome, number>> {
    return this.#counts;
  }

  /** Takes one datagram as it came from the network at `nowMs`. Never throws because of what is in it. */
  receive(datagram: Buffer, nowMs: number): void {
    const header = readRtpHeader(datagram);
    if (typeof header === 'string') return this.#count(header);
    const userId = this.#users.get(header.ssrc);
    if (userId !== undefined && !this.#options.sink.wants(userId)) return this.#count('not-wanted');
    const key = this.#options.keys.transport();
    if (!key) return this.#count('no-key');
    const payload = openDatagram(datagram, header, key);
    if (typeof payload === 'string') return this.#count(payload);
    if (this.#replays.seen(header, datagram)) return this.#count('replay');
    if (isBlank(payload)) return this.#count('empty');
    this.#expire(nowMs);
    const { ssrc, sequence, timestamp } = header;
    this.#take({ ssrc, sequence, timestamp, payload, atMs: nowMs });
  }

  /** Opcode 5: this SSRC is that member's. */
  mapSender(ssrc: number, userId: string, nowMs: number): void {
    this.#expire(nowMs);
    this.#users.delete(ssrc);
    this.#users.set(ssrc, userId);
    dropOldest(this.#users, MAX_SENDERS);
    this.#release(ssrc, 'keep');
  }

  /** Opcode 13: the member has left. */
  forgetUser(userId: string): void {
    for (const [ssrc, owner] of this.#users) {
      if (owner !== userId) continue;
      this.#users.delete(ssrc);
      this.#held.delete(ssrc);
    }
    this.#failures.delete(userId);
  }

  /** The end-to-end keys have changed: what was held may open now. */
  keysChanged(nowMs: number): void {
    this.#expire(nowMs);
    // A copy: what still cannot be opened is put back.
    const senders = [...this.#held.keys()];
    for (const ssrc of senders) this.#release(ssrc, 'keep');
  }

  /** Another voice server: its SSRCs and keys have nothing to do with those of the last one. */
  reset(): void {
    this.#users.clear();
    this.#held.clear();
    this.#failures.clear();
    this.#replays.clear();
  }

  #take(sealed: Sealed): void {
    if (isSilence(sealed) && this.#held.has(sealed.ssrc)) {
      // Silence needs no key, but must not overtake the speech before it.
      this.#hold(sealed, 'dave-not-ready');
      return;
    }
    const opened = this.#open(sealed);
    switch (opened.outcome) {
      case 'ok':
        // What this sender's key opens now may also open what was held a moment ago; what it does not, nothing will.
        this.#release(sealed.ssrc, 'last-chance');
        this.#deliver(opened.packet);
        break;
      case 'unknown-ssrc':
      case 'dave-not-ready':
      case 'dave-fail':
        this.#hold(sealed, opened.outcome);
        break;
      case 'not-wanted':
      case 'empty':
        this.#count(opened.outcome);
        break;
    }
    const userId = this.#users.get(sealed.ssrc);
    if (opened.outcome === 'dave-fail' && userId !== undefined) this.#failed(userId);
  }

  #open(sealed: Sealed): Opened {
    const { payload, ...position } = sealed;
    const userId = this.#users.get(sealed.ssrc);
    if (userId === undefined) return { outcome: 'unknown-ssrc' };
    if (!this.#options.sink.wants(userId)) return { outcome: 'not-wanted' };
    // Silence is the one frame that is never end-to-end encrypted: the voice server itself may send it.
    if (isSilence(sealed)) return { outcome: 'ok', packet: { ...position, userId, opus: payload } };
    const dave = this.#options.keys.dave();
    if (!dave || dave.protocolVersion === 0) {
      // While a call is downgraded the library still opens what is sealed and passes on what is not.
      return opened(position, userId, dave ? tryDecrypt(dave, payload, userId) : payload);
    }
    // Before its session is ready the library would hand the sealed bytes on as if they were Opus.
    if (dave.session?.ready !== true) return { outcome: 'dave-not-ready' };
    const result = opened(position, userId, tryDecrypt(dave, payload, userId));
    if (result.outcome === 'ok') this.#failures.delete(userId);
    return result;
  }

  #failed(userId: string): void {
    const failures = (this.#failures.get(userId) ?? 0) + 1;
    const tooMany = failures > TOLERATED_DAVE_FAILURES;
    this.#failures.set(userId, tooMany ? 0 : failures);
    if (tooMany) this.#options.onUndecryptable(userId);
  }

  #hold(sealed: Sealed, outcome: Refusal): void {
    const held = this.#held.get(sealed.ssrc) ?? [];
    if (held.length >= MAX_HELD_PACKETS || (held.length === 0 && this.#held.size >= MAX_HELD_SENDERS)) {
      return this.#count(outcome);
    }
    held.push(sealed);
    this.#held.set(sealed.ssrc, held);
    this.#count('held');
  }

  /** Delivers what was held and opens now, and keeps or drops the rest. */
  #release(ssrc: number, rest: 'keep' | 'last-chance'): void {
    const held = this.#held.get(ssrc);
    if (!held) return;
    const kept: Sealed[] = [];
    for (const sealed of held) {
      const opened = this.#open(sealed);
      if (opened.outcome === 'ok') this.#deliver(opened.packet);
      else if (rest === 'keep' && opened.outcome !== 'not-wanted') kept.push(sealed);
      else this.#count(opened.outcome);
    }
    if (kept.length > 0) this.#held.set(ssrc, kept);
    else this.#held.delete(ssrc);
  }

  #expire(nowMs: number): void {
    for (const [ssrc, held] of this.#held) {
      const fresh = held.filter((sealed) => nowMs - sealed.atMs <= HOLD_MS);
      if (fresh.length === held.length) continue;
      const reason = this.#users.has(ssrc) ? 'dave-fail' : 'unknown-ssrc';
      for (let expired = held.length - fresh.length; expired > 0; expired--) this.#count(reason);
      if (fresh.length === 0) this.#held.delete(ssrc);
      else this.#held.set(ssrc, fresh);
    }
  }

  #deliver(packet: VoicePacket): void {
    this.#count('ok');
    this.#options.sink.accept(packet);
  }

  #count(outcome: PacketOutcome): void {
    this.#counts[outcome]++;
  }
}

function opened(position: SequencedPacket, userId: string, opus: Buffer | null): Opened {
  if (!opus) return { outcome: 'dave-fail' };
  return isBlank(opus) ? { outcome: 'empty' } : { outcome: 'ok', packet: { ...position, userId, opus } };
}

function tryDecrypt(dave: Dave, payload: Buffer, userId: string): Buffer | null {
  try {
    return dave.decrypt(payload, userId);
  } catch {
    return null;
  }
}

function isSilence({ payload }: Sealed): boolean {
  return payload.equals(OPUS_SILENCE);
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function dropOldest(map: Map<number, unknown>, size: number): void {
  for (const key of map.keys()) {
    if (map.size <= size) return;
    map.delete(key);
  }
}
