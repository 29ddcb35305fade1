import { getCACertificates, setDefaultCACertificates } from 'node:tls';

import {
  type DiscordGatewayAdapterLibraryMethods,
  EndBehaviorType,
  joinVoiceChannel,
  type VoiceConnection,
  VoiceConnectionStatus,
} from '@discordjs/voice';

import { FRAME_MS, FRAME_SAMPLES, OPUS_SILENCE, TRAILING_SILENCE_FRAMES } from '../../../src/audio/frame.ts';
import { OpusDecoder, OpusEncoder, OpusPacketError } from '../../../src/audio/opus.ts';
import { concatSamples, toInt16 } from '../../../src/audio/pcm.ts';
import { correlate } from '../../../src/audio/similarity.ts';
import { decodeWav, encodeWav } from '../../../src/audio/wav.ts';
import type { Heard, SandboxEvent, SpokenReport } from '../../../src/sandbox/control/protocol.ts';
import type { VoiceService } from '../../../src/sandbox/voice/service.ts';
import { startVoiceServer } from '../../../src/sandbox/voice/voice-server.ts';
import { monotonicClock, sleep } from '../../../src/time/clock.ts';

export const GUILD = '900000000000000001';
const CHANNEL = '900000000000000002';
export const BOT = '900000000000000003';
export const ALICE = '900000000000000004';
export const BOB = '900000000000000005';
export const CAROL = '900000000000000006';

const DEADLINE_MS = 8000;

export type EventOf<Type extends SandboxEvent['type']> = Extract<SandboxEvent, { type: Type }>;

/** What the bot heard of one person. */
interface Ear {
  readonly decoder: OpusDecoder;
  packets: Buffer[];
  samples: Int16Array[];
}

/** A voice server, and an unmodified @discordjs/voice connection to it; a few lines play Discord's gateway between them. */
export class RawBot implements AsyncDisposable {
  readonly service: VoiceService;
  /** How often the bot asked the gateway for a place in the call. */
  admissions = 0;
  readonly #events: SandboxEvent[];
  readonly #waiting: Set<() => void>;
  readonly #ears = new Map<string, Ear>();
  readonly #encoder = new OpusEncoder('live');
  #connection: VoiceConnection | undefined;
  #library: DiscordGatewayAdapterLibraryMethods | undefined;

  private constructor(service: VoiceService, events: SandboxEvent[], waiting: Set<() => void>) {
    this.service = service;
    this.#events = events;
    this.#waiting = waiting;
  }

  static async start(daveVersion: 0 | 1 = 1): Promise<RawBot> {
    const events: SandboxEvent[] = [];
    const waiting = new Set<() => void>();
    let bot: RawBot | undefined;
    const service = await startVoiceServer({
      daveVersion,
      emit: (event) => {
        events.push(event);
        for (const look of waiting) look();
      },
      onServerMoved: (_guildId, token, endpoint) => bot?.announceServer(token, endpoint),
    });
    setDefaultCACertificates([...getCACertificates('default'), service.caPem]);
    bot = new RawBot(service, events, waiting);
    return bot;
  }

  get connection(): VoiceConnection {
    if (!this.#connection) throw new Error('the bot has not joined');
    return this.#connection;
  }

  enter(...userIds: string[]): void {
    for (const userId of userIds) this.service.addPerson(member(userId));
  }

  leave(userId: string): void {
    this.service.removePerson(GUILD, userId);
  }

  /** The bot joins; resolves when the server says that it is ready. */
  async join(options: { daveEncryption?: boolean } = {}): Promise<EventOf<'bot-voice-ready'>> {
    this.connect(options);
    return this.event('bot-voice-ready');
  }

  connect({ daveEncryption = true }: { daveEncryption?: boolean } = {}): void {
    this.#connection = joinVoiceChannel({
      guildId: GUILD,
      channelId: CHANNEL,
      selfDeaf: false,
      daveEncryption,
      adapterCreator: (library) => {
        this.#library = library;
        return { sendPayload: (payload) => this.#gateway(payload), destroy: () => {} };
      },
    });
  }

  announceServer(token: string, endpoint: string): void {
    this.#library?.onVoiceServerUpdate({ guild_id: GUILD, token, endpoint });
  }

  /** The first event of this type that fits, past ones from `skip` on included. */
  async event<Type extends SandboxEvent['type']>(type: Type, skip = 0): Promise<EventOf<Type>> {
    return this.eventually(
      () => this.#events.filter((event): event is EventOf<Type> => event.type === type)[skip],
      `event ${type} number ${skip + 1}`,
    );
  }

  count(type: SandboxEvent['type']): number {
    return this.#events.filter((event) => event.type === type).length;
  }

  /** What `look` finds once it finds something. It looks at each event, and each few milliseconds. */
  async eventually<Found>(look: () => Found | undefined | false, what: string): Promise<Found> {
    const deadlineMs = performance.now() + DEADLINE_MS;
    while (performance.now() < deadlineMs) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      using _timer = monotonicClock.after(5, resolve);
      await promise;
      this.#waiting.delete(resolve);
    }
    throw new Error(`timed out waiting for ${what}`);
  }

  /** Begins to listen to a person, before they speak; what was heard so far is forgotten. */
  listenTo(userId: string): void {
    const ear = this.#ears.get(userId) ?? { decoder: new OpusDecoder(), packets: [], samples: [] };
    ear.packets = [];
    ear.samples = [];
    if (this.#ears.has(userId)) return;
    this.#ears.set(userId, ear);
    const stream = this.connection.receiver.subscribe(userId, { end: { behavior: EndBehaviorType.Manual } });
    stream.on('data', (packet: Buffer) => {
      // While it waits for new keys the client hands on what it cannot decrypt as it is.
      const samples = decoded(ear.decoder, packet);
      if (!samples) return;
      ear.packets.push(packet);
      ear.samples.push(samples);
    });
  }

  /** A person speaks; the correlation of what the bot heard of it with what was said. */
  async botHears(userId: string, sound: Int16Array): Promise<number> {
    this.listenTo(userId);
    const { voicePackets } = await this.speak(userId, sound);
    await this.eventually(() => {
      const packets = this.packetsFrom(userId);
      const voiced = packets.filter((packet) => !packet.equals(OPUS_SILENCE)).length;
      return voiced >= voicePackets && packets.at(-1)?.equals(OPUS_SILENCE);
    }, `${voicePackets} packets of ${userId} at the bot`);
    return correlate(sound, concatSamples(this.#ears.get(userId)?.samples ?? [])).correlation;
  }

  packetsFrom(userId: string): readonly Buffer[] {
    return this.#ears.get(userId)?.packets ?? [];
  }

  speak(userId: string, sound: Int16Array): Promise<SpokenReport> {
    return this.service.methods.speak({ personId: userId, wav: Buffer.from(encodeWav(sound)).toString('base64') });
  }

  /** The bot speaks as a client should; resolves when the last packet has left. */
  async say(sound: Int16Array): Promise<void> {
    const frames = Math.ceil(sound.length / FRAME_SAMPLES);
    const startMs = performance.now();
    for (let sent = 0; sent < frames + TRAILING_SILENCE_FRAMES; sent += 1) {
      const frame = new Int16Array(FRAME_SAMPLES);
      frame.set(sound.subarray(sent * FRAME_SAMPLES, (sent + 1) * FRAME_SAMPLES));
      const opus = this.#encoder.encode(frame);
      this.connection.playOpusPacket(Buffer.from(sent < frames ? opus : OPUS_SILENCE));
      await sleep(monotonicClock, Math.max(0, startMs + (sent + 1) * FRAME_MS - performance.now()));
    }
    this.connection.setSpeaking(false);
  }

  /** The bot speaks; what a person heard of it, and how well. */
  async heardBy(userId: string, sound: Int16Array): Promise<{ correlation: number; heard: Heard }> {
    const sinceMs = performance.now();
    const ended = this.count('bot-speaking') + 1;
    await this.say(sound);
    await this.event('bot-speaking', ended);
    const heard = await this.service.methods.heard({ personId: userId, fromUserId: BOT, sinceMs });
    return { correlation: correlate(sound, samplesOf(heard)).correlation, heard };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#connection && this.#connection.state.status !== VoiceConnectionStatus.Destroyed)
      this.#connection.destroy();
    await this.service[Symbol.asyncDispose]();
    this.#encoder[Symbol.dispose]();
    for (const { decoder } of this.#ears.values()) decoder[Symbol.dispose]();
  }

  #gateway(payload: { d: { channel_id: string | null } }): boolean {
    if (payload.d.channel_id === null) {
      this.service.removeBot(GUILD);
      return true;
    }
    this.admissions += 1;
    const sessionId = `session-${this.admissions}`;
    const { token, endpoint } = this.service.admitBot({ ...member(BOT), sessionId });
    setImmediate(() => {
      this.#library?.onVoiceStateUpdate({
        guild_id: GUILD,
        channel_id: CHANNEL,
        user_id: BOT,
        session_id: sessionId,
        deaf: false,
        mute: false,
        self_deaf: false,
        self_mute: false,
        self_video: false,
        suppress: false,
        request_to_speak_timestamp: null,
      });
      this.announceServer(token, endpoint);
    });
    return true;
  }
}

export function member(userId: string, switches: { muted?: boolean; deafened?: boolean } = {}) {
  return { guildId: GUILD, channelId: CHANNEL, userId, muted: false, deafened: false, ...switches };
}

/** A sound that rises in pitch, so that it matches itself at one place only. 24 kHz mono. */
export function sweep(durationMs: number, fromHz: number): Int16Array {
  const samples = new Int16Array(durationMs * 24);
  for (let i = 0; i < samples.length; i += 1) {
    samples[i] = 8000 * Math.sin((2 * Math.PI * (fromHz + (i * fromHz) / samples.length / 2) * i) / 24_000);
  }
  return samples;
}

export function samplesOf(heard: Heard): Int16Array {
  return toInt16(decodeWav(Buffer.from(heard.wav, 'base64')).channels[0] ?? new Float32Array());
}

function decoded(decoder: OpusDecoder, packet: Buffer): Int16Array | undefined {
  try {
    return decoder.decode(packet);
  } catch (error) {
    if (error instanceof OpusPacketError) return undefined;
    throw error;
  }
}
