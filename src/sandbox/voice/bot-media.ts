import { randomBytes } from 'node:crypto';

import type { FaultPlan } from './faults.ts';
import type { Network } from './network.ts';
import { randomInteger, type Random } from './random.ts';
import { readRtp, rtpHeaderLength, writeRtp, type RtpPacket } from './rtp.ts';
import { KEY_BYTES, NONCE_BYTES, open, seal, type TransportMode } from './transport-cipher.ts';
import type { Address, UdpPort } from './udp.ts';

/** Discord pads some packets; libraries that forget to strip it lose exactly those. */
const PADDED_SHARE = 0.05;
const MAX_PADDING_BYTES = 12;
/** Packets kept for replays. */
const MAX_RECENT = 64;
/** The bot's first packets may overtake its opcode 5 on another socket: they wait for it, this many at most. */
const MAX_HELD = 50;

interface Received {
  readonly rtp: RtpPacket;
  readonly atMs: number;
}

/** The sound of one bot's voice session: what goes to its UDP address, and what comes from there. */
export class BotMedia {
  /** The key of the transport encryption, told in opcode 4. */
  readonly key: Buffer = randomBytes(KEY_BYTES);
  readonly #ssrc: number;
  readonly #udp: UdpPort;
  readonly #network: Network;
  readonly #faults: FaultPlan;
  readonly #random: Random;
  readonly #onPacket: (rtp: RtpPacket, atMs: number) => void;
  readonly #recent: Buffer[] = [];
  #mode: TransportMode | undefined;
  #address: Address | undefined;
  #counter = 0;
  /** Undefined as soon as the bot has said that it speaks. */
  #held: Received[] | undefined = [];

  constructor(options: {
    ssrc: number;
    udp: UdpPort;
    network: Network;
    faults: FaultPlan;
    random: Random;
    onPacket: (rtp: RtpPacket, atMs: number) => void;
  }) {
    this.#ssrc = options.ssrc;
    this.#udp = options.udp;
    this.#network = options.network;
    this.#faults = options.faults;
    this.#random = options.random;
    this.#onPacket = options.onPacket;
  }

  /** Learned by IP discovery. */
  get address(): Address | undefined {
    return this.#address;
  }

  discovered(from: Address): void {
    this.#address = from;
  }

  start(mode: TransportMode): void {
    this.#mode = mode;
  }

  /** The last datagrams sent, oldest first. */
  get recent(): readonly Buffer[] {
    return this.#recent;
  }

  /** Opcode 5 has come. */
  speaking(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { rtp, atMs } of held) this.#onPacket(rtp, atMs);
  }

  /** Towards the bot, whatever the network makes of it. */
  send(packet: RtpPacket): void {
    const to = this.#address;
    if (!to || !this.#mode) return;
    const padding = this.#random() < PADDED_SHARE ? 1 + randomInteger(this.#random, MAX_PADDING_BYTES) : 0;
    const { header, body } = writeRtp(packet, this.#extension(), padding);
    const key = this.#faults.takeWrongKey('transport') ? randomBytes(KEY_BYTES) : this.key;
    this.#counter = (this.#counter + 1) % 2 ** 32;
    const datagram = Buffer.concat([header, seal(this.#mode, key, this.#counter, header, body)]);
    this.#recent.push(datagram);
    if (this.#recent.length > MAX_RECENT) this.#recent.shift();
    this.#network.carry(() => this.#udp.send(datagram, to));
  }

  /** As it is, past the network's conditions. */
  sendRaw(datagram: Uint8Array): void {
    if (this.#address) this.#udp.send(datagram, this.#address);
  }

  /** From the bot: dropped unless it comes from its address and is encrypted with its key. */
  receive(datagram: Buffer, from: Address, atMs: number): void {
    if (!this.#mode || from.port !== this.#address?.port || from.address !== this.#address.address) return;
    const headerLength = rtpHeaderLength(datagram);
    if (headerLength === undefined || datagram.length < headerLength + NONCE_BYTES) return;
    const header = datagram.subarray(0, headerLength);
    const body = open(this.#mode, this.key, header, datagram.subarray(headerLength));
    const rtp = body && readRtp(header, body);
    if (rtp?.ssrc !== this.#ssrc) return;
    if (!this.#held) this.#onPacket(rtp, atMs);
    else if (this.#held.length < MAX_HELD) this.#held.push({ rtp, atMs });
  }

  /** One-byte extensions as Discord sends them: 1 is the audio level, 9 the speaker's flags. */
  #extension(): Buffer {
    return Buffer.of(0x10, randomInteger(this.#random, 0x80), 0x90, 0);
  }
}
