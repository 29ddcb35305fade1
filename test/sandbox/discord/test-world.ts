import { Client, type ClientEvents, Events, GatewayIntentBits, type Interaction, REST } from 'discord.js';
import { SandboxClient } from '../../../src/sandbox/control/client.ts';
import { EventHub } from '../../../src/sandbox/control/event-hub.ts';
import type { ControlMethods, SandboxEvent } from '../../../src/sandbox/control/protocol.ts';
import { startControlServer } from '../../../src/sandbox/control/server.ts';
import { type DiscordServer, startDiscordServer } from '../../../src/sandbox/discord/discord-server.ts';
import { type Clock, monotonicClock } from '../../../src/time/clock.ts';
import { SilentVoice } from './silent-voice.ts';

/** What Parley asks for: nothing privileged. */
export const PARLEY_INTENTS = [GatewayIntentBits.Guilds, GatewayIntentBits.GuildVoiceStates];

/** The sandbox's Discord with its control API, and unmodified discord.js clients to sign in with. */
export class TestWorld implements AsyncDisposable {
  readonly discord: DiscordServer;
  readonly voice: SilentVoice;
  readonly control: SandboxClient;
  readonly controlUrl: string;
  readonly guildId: string;
  readonly textId: string;
  readonly loungeId: string;
  readonly alice: string;
  readonly bob: string;
  readonly #parts: AsyncDisposableStack;

  private constructor(
    parts: AsyncDisposableStack,
    discord: DiscordServer,
    voice: SilentVoice,
    control: SandboxClient,
    controlUrl: string,
    ids: Pick<TestWorld, 'guildId' | 'textId' | 'loungeId' | 'alice' | 'bob'>,
  ) {
    this.#parts = parts;
    this.discord = discord;
    this.voice = voice;
    this.control = control;
    this.controlUrl = controlUrl;
    this.guildId = ids.guildId;
    this.textId = ids.textId;
    this.loungeId = ids.loungeId;
    this.alice = ids.alice;
    this.bob = ids.bob;
  }

  static async start(options: { clock?: Clock; privilegedIntents?: number } = {}): Promise<TestWorld> {
    await using parts = new AsyncDisposableStack();
    const hub = new EventHub();
    const emit = (event: SandboxEvent): void => hub.emit(event);
    const voice = new SilentVoice();
    const discord = parts.use(await startDiscordServer({ clock: monotonicClock, ...options, emit, voice }));
    const server = parts.use(await startControlServer({ ...discord.methods, ...voice.methods, ...SILENT }, hub));
    const control = parts.use(await SandboxClient.connect(server.url));
    const [guild] = (await control.world({})).guilds;
    const find = (name: string): string => {
      const found = [...(guild?.channels ?? []), ...(guild?.people ?? [])].find((one) => one.name === name);
      return found?.id ?? '';
    };
    const ids = { guildId: guild?.id ?? '', textId: find('general'), loungeId: find('Lounge') };
    const people = { alice: find('Alice'), bob: find('Bob') };
    return new TestWorld(parts.move(), discord, voice, control, server.url, { ...ids, ...people });
  }

  /** A signed-in client; it signs off with the world. */
  async bot(intents: readonly GatewayIntentBits[] = PARLEY_INTENTS): Promise<Client<true>> {
    const client = new Client({
      intents: [...intents],
      allowedMentions: { parse: [] },
      rest: { api: this.discord.apiUrl, retries: 0 },
    });
    this.#parts.defer(() => client.destroy());
    const ready = new Promise<Client<true>>((resolve) => client.once(Events.ClientReady, resolve));
    await client.login(this.discord.token);
    return ready;
  }

  /** A REST client with the bot's token. */
  rest(): REST {
    return new REST({ api: this.discord.apiUrl, retries: 0 }).setToken(this.discord.token);
  }

  /** A request as it goes over the wire. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bot ${this.discord.token}`, 'content-type': 'application/json' };
    return fetch(`${this.discord.apiUrl}/v10${path}`, { headers, ...init });
  }

  /** Waits until the interaction is where it should be, and returns it. */
  async settled(interactionId: string, state: 'deferred' | 'answered' | 'failed' = 'answered') {
    const event = await this.control.waitFor(
      (one) =>
        one.type === 'interaction-updated' && one.interaction.id === interactionId && one.interaction.state === state,
    );
    if (event.type !== 'interaction-updated') throw new Error('another event');
    return event.interaction;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync();
  }
}

/** What this half of the sandbox does not have. */
const SILENT: Pick<ControlMethods, 'synthesize' | 'setModel' | 'modelFault' | 'modelRequests' | 'expireAudio'> = {
  synthesize: async () => ({ wav: '' }),
  setModel: async () => {},
  modelFault: async () => {},
  modelRequests: async () => [],
  expireAudio: async () => {},
};

/** Calls `handle` with every interaction the bot gets; what it throws fails the test through `failures`. */
export function onInteraction(client: Client, handle: (interaction: Interaction) => Promise<unknown>): unknown[] {
  const failures: unknown[] = [];
  client.on(Events.InteractionCreate, (interaction) => {
    handle(interaction).catch((error: unknown) => failures.push(error));
  });
  return failures;
}

/** The arguments of the next event of a discord.js client. */
export function nextEvent<Event extends keyof ClientEvents>(
  client: Client,
  event: Event,
): Promise<ClientEvents[Event]> {
  return new Promise((resolve) => client.once(event, (...args) => resolve(args)));
}
