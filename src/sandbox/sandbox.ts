import { encodeWav } from '../audio/wav.ts';
import { type Clock, monotonicClock } from '../time/clock.ts';
import { EventHub } from './control/event-hub.ts';
import type {
  ChannelSnapshot,
  ControlMethods,
  GuildSnapshot,
  PersonSnapshot,
  SandboxEvent,
} from './control/protocol.ts';
import { startControlServer } from './control/server.ts';
import { type DiscordServer, startDiscordServer } from './discord/discord-server.ts';
import { startModelServer } from './model/model-server.ts';
import type { ModelService } from './model/service.ts';
import { createPage } from './page/page.ts';
import { createSynthesizer } from './speech.ts';
import type { VoiceService } from './voice/service.ts';
import { startVoiceServer } from './voice/voice-server.ts';

export interface SandboxOptions {
  /** DAVE protocol version of new calls. Default 1: end-to-end encrypted, as Discord's are. */
  readonly daveVersion?: 0 | 1;
}

/** A Discord and a model on loopback, with people in it. Nothing outside this machine is asked. */
export class Sandbox implements AsyncDisposable {
  /** What a bot needs to sign in: the token, discord.js's `rest.api`, and the host attachments come from. */
  readonly discord: { readonly token: string; readonly apiUrl: string; readonly cdnHost: string };
  /** Where the model is, and what it accepts. */
  readonly model: Pick<ModelService, 'url' | 'apiKey' | 'identityHeader' | 'deployments'>;
  /** The certificate that makes the voice server trusted. */
  readonly caPem: string;
  /** Where `SandboxClient.connect` connects to. */
  readonly controlUrl: string;
  /** The playground, for a browser. */
  readonly pageUrl: string;
  /** The guild the sandbox starts with, its channels #general and Lounge, and Alice and Bob. */
  readonly guild: GuildSnapshot;
  readonly channels: readonly ChannelSnapshot[];
  readonly people: readonly PersonSnapshot[];
  readonly #parts: AsyncDisposableStack;

  private constructor(
    discord: DiscordServer,
    model: ModelService,
    voice: VoiceService,
    controlUrl: string,
    guild: GuildSnapshot,
    parts: AsyncDisposableStack,
  ) {
    this.discord = { token: discord.token, apiUrl: discord.apiUrl, cdnHost: discord.cdnHost };
    this.model = model;
    this.caPem = voice.caPem;
    this.controlUrl = controlUrl;
    this.pageUrl = `${controlUrl}/`;
    this.guild = guild;
    this.channels = guild.channels;
    this.people = guild.people;
    this.#parts = parts;
  }

  /** Starts every server on a free port of 127.0.0.1. */
  static async start(options: SandboxOptions = {}, clock: Clock = monotonicClock): Promise<Sandbox> {
    await using starting = new AsyncDisposableStack();
    const events = new EventHub();
    const emit = (event: SandboxEvent): void => events.emit(event);
    const voice = starting.use(
      await startVoiceServer({
        ...options,
        clock,
        emit,
        onServerMoved: (...place) => discord.announceVoiceServer(...place),
      }),
    );
    const discord = starting.use(await startDiscordServer({ clock, emit, voice }));
    starting.use(followVoice(events, discord));
    const synthesizer = starting.use(createSynthesizer());
    const model = starting.use(await startModelServer({ clock, emit, synthesizer }));
    const methods = {
      ...discord.methods,
      ...voice.methods,
      ...model.methods,
      async synthesize({ text, voice }: Parameters<ControlMethods['synthesize']>[0]) {
        const samples = await synthesizer.synthesize(text, voice);
        return { wav: Buffer.from(encodeWav(samples)).toString('base64') };
      },
    };
    const page = starting.use(
      await createPage({
        cdnOrigin: new URL(discord.apiUrl).origin,
        live: voice.live,
        personGone: (personId) => void discord.methods.leave({ personId }).catch(() => {}),
      }),
    );
    const control = starting.use(await startControlServer(methods, events, page));
    const [guild] = (await discord.methods.world({})).guilds;
    if (!guild) throw new TypeError('The sandbox has no guild.');
    return new Sandbox(discord, model, voice, control.url, guild, starting.move());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync();
  }
}

/** The gateway has to know whether the bot's voice socket is up: only the voice server sees it. */
function followVoice(events: EventHub, discord: DiscordServer): Disposable {
  return events.subscribe((event) => {
    if (event.type === 'bot-voice-ready') discord.setVoiceConnected(event.guildId, true);
    else if (event.type === 'bot-voice-gone') discord.setVoiceConnected(event.guildId, false);
  });
}
