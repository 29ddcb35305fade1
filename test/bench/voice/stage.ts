import { z } from 'zod';

import { SandboxClient } from '../../../src/sandbox/control/client.ts';
import type { SandboxEvent } from '../../../src/sandbox/control/protocol.ts';
import type { Candidate } from './candidate.ts';
import { MeasuredProcess } from './measured-process.ts';

/** From the request's last byte to the model's first audio. */
export const MODEL_MS = 300;
/** The model's sound comes in pieces of 200 ms, twice as fast as it is played. */
const MODEL = { firstAudioMs: MODEL_MS, chunkMs: 200, speed: 2 } as const;

const START_MS = 120_000;
/** Rooms that the bot is called into at a time. */
const JOINING = 5;

const worldSchema = z.object({
  controlUrl: z.string(),
  discord: z.object({ token: z.string(), apiUrl: z.string(), cdnHost: z.string() }),
  model: z.object({ url: z.string(), apiKey: z.string(), deployments: z.array(z.string()) }),
  caFile: z.string(),
});

/** A server with one voice channel and one person in it, who has a name that no other room has. */
export interface Room {
  readonly guildId: string;
  readonly textId: string;
  readonly voiceId: string;
  readonly personId: string;
  readonly personName: string;
}

/** A bot in the sandbox, each a process of its own, and rooms for the bot to be called into. */
export class Stage implements AsyncDisposable {
  readonly client: SandboxClient;
  readonly candidate: Candidate;
  readonly rooms: readonly Room[];
  readonly world: MeasuredProcess;
  readonly bot: MeasuredProcess;
  readonly botId: string;
  readonly #parts: AsyncDisposableStack;

  private constructor(
    parts: Pick<Stage, 'client' | 'candidate' | 'rooms' | 'world' | 'bot' | 'botId'>,
    stack: AsyncDisposableStack,
  ) {
    this.client = parts.client;
    this.candidate = parts.candidate;
    this.rooms = parts.rooms;
    this.world = parts.world;
    this.bot = parts.bot;
    this.botId = parts.botId;
    this.#parts = stack;
  }

  /** A bot that is online, with people waiting in as many voice channels. */
  static async set(candidate: Candidate, channels: number): Promise<Stage> {
    await using stack = new AsyncDisposableStack();
    const world = stack.use(new MeasuredProcess('src/sandbox/main.ts', {}));
    const { controlUrl, discord, model, caFile } = worldSchema.parse(
      JSON.parse(await world.line((line) => line.startsWith('{'), START_MS)),
    );
    const client = stack.use(await SandboxClient.connect(controlUrl));
    await client.setModel(MODEL);
    const rooms = await furnish(client, channels);
    const bot = stack.use(
      new MeasuredProcess(candidate.file, {
        DISCORD_TOKEN: discord.token,
        DISCORD_API_URL: discord.apiUrl,
        ATTACHMENT_HOSTS: discord.cdnHost,
        OPENAI_BASE_URL: `${model.url}/v1`,
        OPENAI_API_KEY: model.apiKey,
        OPENAI_MODEL: model.deployments[0] ?? '',
        DATABASE_URL: ':memory:',
        NODE_EXTRA_CA_CERTS: caFile,
        ...candidate.env,
      }),
    );
    const started = (event: SandboxEvent): boolean =>
      candidate.takesCommands ? event.type === 'commands-registered' : event.type === 'bot-online';
    await client.waitFor(started, { timeoutMs: START_MS });
    const { bot: user } = await client.world({});
    return new Stage({ client, candidate, rooms, world, bot, botId: user.id }, stack.move());
  }

  /** Calls the bot into every room; resolves when it listens everywhere. */
  async fill(): Promise<void> {
    const waiting = [...this.rooms];
    const work = async (): Promise<void> => {
      for (let room = waiting.shift(); room; room = waiting.shift()) await this.#call(room);
    };
    await Promise.all(Array.from({ length: JOINING }, work));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync();
  }

  async #call({ guildId, personId, textId }: Room): Promise<void> {
    const { client, candidate } = this;
    const ready = (event: SandboxEvent): boolean => event.type === 'bot-voice-ready' && event.guildId === guildId;
    if (!candidate.takesCommands) {
      await client.waitFor(ready, { timeoutMs: START_MS });
      return;
    }
    const { interactionId } = await client.runCommand({ personId, channelId: textId, command: 'join' });
    // The channel is told before anybody is listened to.
    await client.waitFor(
      (event) =>
        event.type === 'interaction-updated' &&
        event.interaction.id === interactionId &&
        event.interaction.state === 'answered',
      { timeoutMs: START_MS },
    );
    await client.waitFor(ready, { timeoutMs: START_MS });
  }
}

async function furnish(client: SandboxClient, channels: number): Promise<Room[]> {
  for (const { id } of (await client.world({})).guilds) await client.deleteGuild({ guildId: id });
  const rooms: Room[] = [];
  for (let number = 1; number <= channels; number++) {
    const { id: guildId } = await client.createGuild({ name: `Server ${number}` });
    const text = await client.createChannel({ guildId, name: 'general', kind: 'text' });
    const voice = await client.createChannel({ guildId, name: 'Lounge', kind: 'voice' });
    const personName = `Guest${String(number).padStart(3, '0')}`;
    const person = await client.createPerson({ guildId, name: personName });
    await client.join({ personId: person.id, channelId: voice.id });
    rooms.push({ guildId, textId: text.id, voiceId: voice.id, personId: person.id, personName });
  }
  return rooms;
}
