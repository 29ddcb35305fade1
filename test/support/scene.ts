import { getCACertificates, setDefaultCACertificates } from 'node:tls';

import { expect } from 'vitest';
import { z } from 'zod';

import { startApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config/config.ts';
import type { Env } from '../../src/config/env.ts';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import type { ModelRequestRecord, ModelSettings, SandboxEvent } from '../../src/sandbox/control/protocol.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { monotonicClock, type Clock } from '../../src/time/clock.ts';
import { Room, type Person } from './room.ts';

export interface SceneOptions {
  /** Settings of the bot that differ from {@link settingsFor}. */
  readonly env?: Env;
  readonly clock?: Clock;
}

const entrySchema = z.record(z.string(), z.unknown());

/** Quick enough for a test, and still a stream: its sound comes in pieces. */
const QUICK_MODEL: ModelSettings = { firstAudioMs: 60, chunkMs: 100, speed: 8 };

/** The whole bot in the sandbox's world, on real sockets, set up as for a real server; with a model that answers quickly. */
export class Scene implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly client: SandboxClient;
  readonly botId: string;
  /** What the bot logged so far at debug level, a JSON line an entry. */
  readonly log: readonly string[];
  /** What the bot could not go on with. */
  readonly faults: readonly Error[];
  /** All that has happened so far. */
  readonly history: readonly SandboxEvent[];
  /** The server the sandbox starts with: Alice and Bob, #general and Lounge. */
  readonly home: Room;
  readonly #parts: AsyncDisposableStack;
  #rooms = 0;

  private constructor(
    world: Pick<Scene, 'sandbox' | 'client' | 'botId' | 'log' | 'faults' | 'history'>,
    home: { guildId: string; text: Person; voice: Person; alice: Person; bob: Person },
    parts: AsyncDisposableStack,
  ) {
    this.sandbox = world.sandbox;
    this.client = world.client;
    this.botId = world.botId;
    this.log = world.log;
    this.faults = world.faults;
    this.history = world.history;
    this.home = new Room(this.client, this.botId, home);
    this.#parts = parts;
  }

  static async start({ env = {}, clock = monotonicClock }: SceneOptions = {}): Promise<Scene> {
    await using parts = new AsyncDisposableStack();
    const log: string[] = [];
    const faults: Error[] = [];
    const logger = createLogger({ level: 'debug', secrets: [], destination: { write: (line) => log.push(line) } });
    const stop = new AbortController();
    const sandbox = parts.use(await Sandbox.start());
    setDefaultCACertificates([...getCACertificates('default'), sandbox.caPem]);
    const config = parseConfig({ ...settingsFor(sandbox), ...env });
    const fail = (error: Error): void => void faults.push(error);
    const { botId } = parts.use(await startApp(config, logger, stop.signal, fail, clock));
    const client = parts.use(await SandboxClient.connect(sandbox.controlUrl));
    const history = parts.use(collect(client));
    await client.setModel(QUICK_MODEL);
    const home = {
      guildId: sandbox.guild.id,
      alice: named(sandbox.people, 'Alice'),
      bob: named(sandbox.people, 'Bob'),
      text: named(sandbox.channels, 'general'),
      voice: named(sandbox.channels, 'Lounge'),
    };
    return new Scene({ sandbox, client, botId, log, faults, history: history.events }, home, parts.move());
  }

  /** Another server with the same furniture, in which nothing has been said yet. */
  async furnish(): Promise<Room> {
    const { client } = this;
    this.#rooms++;
    const { id: guildId } = await client.createGuild({ name: `Server ${this.#rooms}` });
    const text = await client.createChannel({ guildId, name: 'general', kind: 'text' });
    const voice = await client.createChannel({ guildId, name: 'Lounge', kind: 'voice' });
    const alice = await client.createPerson({ guildId, name: 'Alice' });
    const bob = await client.createPerson({ guildId, name: 'Bob' });
    return new Room(client, this.botId, { guildId, text, voice, alice, bob });
  }

  /** Chat requests the model has had since then, oldest first. */
  async chatRequests(sinceMs = 0): Promise<ModelRequestRecord[]> {
    return (await this.client.modelRequests({ sinceMs })).filter(({ endpoint }) => endpoint === 'chat');
  }

  /** Entries of the log with this message. */
  logged(message: string): Record<string, unknown>[] {
    return this.log.map((line) => entrySchema.parse(JSON.parse(line))).filter(({ msg }) => msg === message);
  }

  /**
   * What must hold of every scene: Discord refused nothing for lack of permission and never asked the bot to slow down,
   * nothing that it posted pinged anybody, and nothing inside broke.
   */
  async expectManners(): Promise<void> {
    const refused = (await this.client.restRequests({})).filter(({ status }) => status === 403 || status === 429);
    expect(refused, 'refused by Discord').toEqual([]);
    const { guilds } = await this.client.world({});
    for (const { id, kind } of guilds.flatMap(({ channels }) => channels)) {
      if (kind !== 'text' && kind !== 'voice') continue;
      const messages = await this.client.messages({ channelId: id });
      const ours = messages.filter(({ authorId }) => authorId === this.botId);
      expect(ours.flatMap(({ pinged }) => pinged)).toEqual([]);
    }
    expect(this.faults, 'the bot gave up').toEqual([]);
    expect(
      this.log.filter((line) => line.includes('"level":"error"')),
      'errors in the log',
    ).toEqual([]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync();
  }
}

/** What one sets to run a bot with this Discord and this model. Speech is written down by a model of its own. */
export function settingsFor({ discord, model }: Pick<Sandbox, 'discord' | 'model'>): Env {
  return {
    SANDBOX: 'never',
    DISCORD_TOKEN: discord.token,
    DISCORD_API_URL: discord.apiUrl,
    ATTACHMENT_HOSTS: `http://${discord.cdnHost}`,
    AZURE_OPENAI_ENDPOINT: model.url,
    AZURE_OPENAI_DEPLOYMENT_NAME: 'gpt-audio-1.5',
    AZURE_OPENAI_API_KEY: model.apiKey,
    TRANSCRIBE_MODEL: 'gpt-4o-transcribe',
    DATABASE_URL: 'sqlite::memory:',
    // Two people and more are answered without a name.
    ANSWERS: 'always',
    // One request a turn, made when it is over: what most tests are about is easier to see.
    SPECULATION: 'off',
    TURN_SILENCE_MS: '500',
  };
}

/** Settings with these left out. */
export function without(settings: Env, ...names: readonly (keyof Env)[]): Env {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !names.some((one) => one === name)));
}

/** Keeps every event from now on. */
function collect(client: SandboxClient): AsyncDisposable & { readonly events: readonly SandboxEvent[] } {
  const stop = new AbortController();
  const events: SandboxEvent[] = [];
  const collecting = (async () => {
    for await (const event of client.events(stop.signal)) events.push(event);
  })();
  return {
    events,
    [Symbol.asyncDispose]: () => {
      stop.abort();
      return collecting;
    },
  };
}

function named(list: readonly Person[], name: string): Person {
  const found = list.find((one) => one.name === name);
  if (!found) throw new Error(`no ${name} in the sandbox`);
  return found;
}
