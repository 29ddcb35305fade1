import { getCACertificates, setDefaultCACertificates } from 'node:tls';

import type { DiscordGatewayAdapterCreator, DiscordGatewayAdapterLibraryMethods } from '@discordjs/voice';

import { encodeWav } from '../../../src/audio/wav.ts';
import type { Speaker, VoiceInputEvent } from '../../../src/conversation/ports.ts';
import { JoinCircuit } from '../../../src/discord/join-circuit.ts';
import { VoiceTracks } from '../../../src/discord/voice-input.ts';
import { VoiceLink, type LinkTrouble, type VoiceLinkState } from '../../../src/discord/voice-link.ts';
import type { SandboxEvent, SpokenReport } from '../../../src/sandbox/control/protocol.ts';
import type { VoiceService } from '../../../src/sandbox/voice/service.ts';
import { startVoiceServer } from '../../../src/sandbox/voice/voice-server.ts';
import type { Log, LogFields } from '../../../src/telemetry/log.ts';
import { silentLog } from '../../support/silent-log.ts';
import { SkippingClock } from './skipping-clock.ts';

const GUILD_ID = '1000';
export const CHANNEL_ID = '2000';
export const BOT_ID = '3000';

/** Each room adds its own certificate to these, so that earlier rooms' do not pile up. */
const SYSTEM_CA = getCACertificates('default');

const WAIT_MS = 8_000;

let rooms = 0;

/** How the room's gateway answers when the bot asks to join. */
export type GatewayMood = 'well' | 'silent' | 'offline' | 'no-server' | 'null-endpoint';

/** The sandbox's voice server with the least of a gateway in front of it, and a bot's link into it. */
export class VoiceRoom implements AsyncDisposable {
  readonly voice: VoiceService;
  readonly clock = new SkippingClock();
  readonly circuit = new JoinCircuit(this.clock);
  readonly states: VoiceLinkState[] = [];
  readonly troubles: LinkTrouble[] = [];
  readonly events: SandboxEvent[] = [];
  /** What the bot asked the gateway for: a channel, or to leave. */
  readonly asked: ('join' | 'leave')[] = [];
  /** Warnings of the link: message and fields. */
  readonly warnings: { message: string; fields: LogFields }[] = [];
  mood: GatewayMood = 'well';
  /** Rooms share the library's registry of connections; a group of its own keeps each one's apart. */
  readonly #group = `room-${++rooms}`;
  readonly #links = new Set<VoiceLink>();
  readonly #watchers = new Set<() => void>();
  #methods: DiscordGatewayAdapterLibraryMethods | undefined;
  #sessions = 0;

  private constructor(voice: VoiceService, events: SandboxEvent[]) {
    this.voice = voice;
    this.events = events;
  }

  static async start(daveVersion: 0 | 1 = 1): Promise<VoiceRoom> {
    const events: SandboxEvent[] = [];
    let room: VoiceRoom | undefined;
    const voice = await startVoiceServer({
      emit: (event) => {
        events.push(event);
        room?.changed();
      },
      onServerMoved: (_guildId, token, endpoint) => room?.serverUpdate(token, endpoint),
      daveVersion,
    });
    setDefaultCACertificates([...SYSTEM_CA, voice.caPem]);
    room = new VoiceRoom(voice, events);
    return room;
  }

  /** The bot joins; its link is left when the room is disposed. */
  async join(options: { random?: () => number } = {}, signal?: AbortSignal): Promise<VoiceLink> {
    const link = await VoiceLink.join(
      {
        guildId: GUILD_ID,
        channelId: CHANNEL_ID,
        adapterCreator: this.adapterCreator,
        circuit: this.circuit,
        clock: this.clock,
        log: this.#log,
        group: this.#group,
        onState: (state) => {
          this.states.push(state);
          this.changed();
        },
        onTrouble: (trouble) => {
          this.troubles.push(trouble);
          this.changed();
        },
        random: () => 0.5,
        ...options,
      },
      signal,
    );
    this.#links.add(link);
    return link;
  }

  readonly adapterCreator: DiscordGatewayAdapterCreator = (methods) => {
    this.#methods = methods;
    return {
      sendPayload: (payload: { d: { channel_id: string | null } }) => {
        if (this.mood === 'offline') return false;
        this.asked.push(payload.d.channel_id === null ? 'leave' : 'join');
        this.changed();
        setImmediate(() => this.#answer(payload.d.channel_id));
        return true;
      },
      destroy: () => {
        if (this.#methods === methods) this.#methods = undefined;
      },
    };
  };

  readonly #log: Log = {
    ...silentLog,
    warn: (fields, message) => {
      this.warnings.push({ fields, message });
      this.changed();
    },
  };

  get joins(): number {
    return this.asked.filter((what) => what === 'join').length;
  }

  addPerson(userId: string, channelId = CHANNEL_ID): void {
    this.voice.addPerson({ guildId: GUILD_ID, channelId, userId, muted: false, deafened: false });
  }

  removePerson(userId: string): void {
    this.voice.removePerson(GUILD_ID, userId);
  }

  speak(userId: string, sound: Int16Array): Promise<SpokenReport> {
    const wav = Buffer.from(encodeWav(sound)).toString('base64');
    return this.voice.methods.speak({ personId: userId, wav });
  }

  /** A moderator disconnects the bot. */
  kick(): void {
    this.voice.removeBot(GUILD_ID);
    this.#voiceState(null);
  }

  /** A moderator moves the bot. */
  move(channelId: string): void {
    this.#answer(channelId);
  }

  serverUpdate(token: string, endpoint: string | null): void {
    this.#methods?.onVoiceServerUpdate({ token, guild_id: GUILD_ID, endpoint });
  }

  /** The library side of the adapter, to send it anything. */
  get methods(): DiscordGatewayAdapterLibraryMethods {
    if (!this.#methods) throw new Error('the bot has no voice connection');
    return this.#methods;
  }

  /** Resolves once `met` holds, looking again whenever anything happens. */
  async until(met: () => boolean, what = 'what was waited for'): Promise<void> {
    if (met()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (met()) resolve();
    };
    const told = this.states.map((state) => state.status).join(', ');
    const timer = setTimeout(() => reject(new Error(`${what} did not happen; states: ${told}`)), WAIT_MS);
    this.#watchers.add(look);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#watchers.delete(look);
    }
  }

  /** The link's next states up to one of this status; those before are forgotten. */
  async state(status: VoiceLinkState['status']): Promise<VoiceLinkState> {
    await this.until(() => this.states.some((state) => state.status === status), status);
    const index = this.states.findIndex((state) => state.status === status);
    const [found] = this.states.splice(0, index + 1).slice(-1);
    if (!found) throw new Error('no state');
    return found;
  }

  /** The sandbox has seen the bot get ready this many times. */
  ready(times = 1): Promise<void> {
    return this.until(() => this.events.filter(({ type }) => type === 'bot-voice-ready').length >= times, 'ready');
  }

  /** Lets what has been set off happen. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  changed(): void {
    for (const look of this.#watchers) look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links) await link[Symbol.asyncDispose]();
    await this.voice[Symbol.asyncDispose]();
  }

  #answer(channelId: string | null): void {
    if (channelId === null) {
      this.voice.removeBot(GUILD_ID);
      this.#voiceState(null);
      return;
    }
    if (this.mood === 'silent') return;
    const sessionId = `session-${this.#sessions++}`;
    const { token, endpoint } = this.voice.admitBot({
      guildId: GUILD_ID,
      channelId,
      userId: BOT_ID,
      sessionId,
      muted: false,
      deafened: false,
    });
    this.#voiceState(channelId, sessionId);
    if (this.mood === 'well') this.serverUpdate(token, endpoint);
    if (this.mood === 'null-endpoint') this.serverUpdate(token, null);
  }

  #voiceState(channelId: string | null, sessionId = ''): void {
    this.#methods?.onVoiceStateUpdate({
      guild_id: GUILD_ID,
      channel_id: channelId,
      user_id: BOT_ID,
      session_id: sessionId,
      deaf: false,
      mute: false,
      self_deaf: false,
      self_mute: false,
      self_video: false,
      suppress: false,
      request_to_speak_timestamp: null,
    });
  }
}

/** What a link hears of some people, collected. */
export class Ear implements AsyncDisposable {
  readonly input: VoiceTracks;
  readonly events: VoiceInputEvent[] = [];
  readonly #stop = new AbortController();
  readonly #listening: Promise<void>;
  readonly #room: VoiceRoom;

  constructor(room: VoiceRoom, link: VoiceLink, people: readonly Speaker[]) {
    this.#room = room;
    this.input = new VoiceTracks({
      source: link,
      admit: (userId) => people.find(({ id }) => id === userId),
      clock: room.clock,
      log: silentLog,
    });
    this.#listening = this.#listen();
  }

  get frames() {
    return this.events.filter((event) => event.type === 'frame');
  }

  sound(userId: string): Int16Array {
    return Int16Array.from(this.frames.flatMap(({ speaker, frame }) => (speaker.id === userId ? [...frame] : [])));
  }

  count(type: VoiceInputEvent['type'], userId: string): number {
    return this.events.filter((event) => event.type === type && event.speaker.id === userId).length;
  }

  /** Resolves when this many stretches of this person's speech have been heard to their end. */
  heard(userId: string, stretches = 1): Promise<void> {
    return this.#room.until(() => this.count('silence', userId) >= stretches, `speech of ${userId}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#listening;
  }

  async #listen(): Promise<void> {
    for await (const event of this.input.listen(this.#stop.signal)) {
      this.events.push(event);
      this.#room.changed();
    }
  }
}

/** Something like a voice: a falling tone with overtones, in syllables. Correlates with nothing but itself. */
export function babble(ms: number, baseHz = 140): Int16Array {
  return Int16Array.from({ length: (ms * 24_000) / 1000 }, (_, sample) => {
    const seconds = sample / 24_000;
    const syllable = 0.5 - 0.5 * Math.cos(2 * Math.PI * 4 * seconds);
    const phase = 2 * Math.PI * (baseHz * seconds - 10 * seconds * seconds);
    return Math.round(6000 * syllable * (Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.3 * Math.sin(5 * phase)));
  });
}
