import { startApp } from '../../src/app.ts';
import { toInt16 } from '../../src/audio/pcm.ts';
import { decodeWav } from '../../src/audio/wav.ts';
import { parseConfig } from '../../src/config/config.ts';
import type { Env } from '../../src/config/env.ts';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import type {
  Heard,
  InteractionSnapshot,
  MessageSnapshot,
  ModelRequestRecord,
  SandboxEvent,
  SandboxVoice,
  SpokenReport,
  Upload,
} from '../../src/sandbox/control/protocol.ts';
import { silentLog } from './silent-log.ts';

const DEADLINE_MS = 15_000;

export interface Person {
  readonly id: string;
  readonly name: string;
}

/** The whole bot in the sandbox's world, on real sockets, as `npm start` runs it. */
export class Scene implements AsyncDisposable {
  readonly client: SandboxClient;
  readonly botId: string;
  readonly guildId: string;
  readonly alice: Person;
  readonly bob: Person;
  readonly text: Person;
  readonly voice: Person;
  readonly #parts: AsyncDisposableStack;

  private constructor(
    client: SandboxClient,
    world: { botId: string; guildId: string; alice: Person; bob: Person; text: Person; voice: Person },
    parts: AsyncDisposableStack,
  ) {
    this.client = client;
    this.botId = world.botId;
    this.guildId = world.guildId;
    this.alice = world.alice;
    this.bob = world.bob;
    this.text = world.text;
    this.voice = world.voice;
    this.#parts = parts;
  }

  static async start(env: Env = {}): Promise<Scene> {
    await using parts = new AsyncDisposableStack();
    const stop = new AbortController();
    const app = parts.use(
      await startApp(parseConfig(env), silentLog, stop.signal, (error) => {
        throw error;
      }),
    );
    if (!app.sandbox) throw new Error('a scene plays in the sandbox');
    const { controlUrl, guild, channels, people } = app.sandbox;
    const client = parts.use(await SandboxClient.connect(controlUrl));
    const named = (list: readonly Person[], name: string): Person => {
      const found = list.find((one) => one.name === name);
      if (!found) throw new Error(`no ${name} in the sandbox`);
      return found;
    };
    const world = {
      botId: app.botId,
      guildId: guild.id,
      alice: named(people, 'Alice'),
      bob: named(people, 'Bob'),
      text: named(channels, 'general'),
      voice: named(channels, 'Lounge'),
    };
    return new Scene(client, world, parts.move());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync();
  }

  /** Runs a slash command and waits for its answer. */
  async run(
    person: Person,
    command: string,
    options: Record<string, string | Upload> = {},
    channelId = this.text.id,
  ): Promise<InteractionSnapshot> {
    const { interactionId } = await this.client.runCommand({ personId: person.id, channelId, command, options });
    const ended = await this.client.waitFor(
      (event): event is Extract<SandboxEvent, { type: 'interaction-updated' }> =>
        event.type === 'interaction-updated' &&
        event.interaction.id === interactionId &&
        (event.interaction.state === 'answered' || event.interaction.state === 'failed'),
      { timeoutMs: DEADLINE_MS },
    );
    return ended.interaction;
  }

  /** The words of a command's answer. */
  async ask(person: Person, command: string, options: Record<string, string | Upload> = {}): Promise<string> {
    const { messages } = await this.run(person, command, options);
    return messages[0]?.content ?? '';
  }

  /** Alice joins the voice channel and calls the bot; resolves when it listens. */
  async call(): Promise<void> {
    await this.client.join({ personId: this.alice.id, channelId: this.voice.id });
    const answer = await this.run(this.alice, 'join');
    if (!answer.messages[0]?.content.includes('listening')) {
      throw new Error(`the bot did not come: ${answer.messages[0]?.content}`);
    }
  }

  /** Sound of these words, as the base64 WAV that people speak. */
  async recording(text: string, voice: SandboxVoice = 'slt'): Promise<string> {
    return (await this.client.synthesize({ text, voice })).wav;
  }

  async say(person: Person, text: string, voice: SandboxVoice = 'slt'): Promise<SpokenReport & { wav: string }> {
    const wav = await this.recording(text, voice);
    return { wav, ...(await this.client.speak({ personId: person.id, wav })) };
  }

  /** The next time after `since` that the bot starts or stops to speak. */
  botSpeaking(speaking: boolean, since: number): Promise<SandboxEvent> {
    return this.client.waitFor((event) => event.type === 'bot-speaking' && event.speaking === speaking, {
      since,
      timeoutMs: DEADLINE_MS,
    });
  }

  /** Waits until the reply to what ended at `since` has been heard to its end. */
  async replied(since: number): Promise<{ request: ModelRequestRecord; heard: Heard; fromMs: number; toMs: number }> {
    const from = await this.botSpeaking(true, since);
    const to = await this.botSpeaking(false, from.atMs);
    const request = await this.requestSince(since);
    const heard = await this.client.heard({ personId: this.alice.id, fromUserId: this.botId, sinceMs: from.atMs - 20 });
    return { request, heard, fromMs: from.atMs, toMs: to.atMs };
  }

  /** The first chat request since then. */
  async requestSince(since: number): Promise<ModelRequestRecord> {
    await this.client.waitFor((event) => event.type === 'model-request' && event.endpoint === 'chat', {
      since,
      timeoutMs: DEADLINE_MS,
    });
    const request = (await this.client.modelRequests({ sinceMs: since })).find(({ endpoint }) => endpoint === 'chat');
    if (!request) throw new Error('the model was not asked');
    return request;
  }

  /** A message in the text channel that fits, now or within the deadline. */
  async message(fits: (message: MessageSnapshot) => boolean, since = 0): Promise<MessageSnapshot> {
    const event = await this.client.waitFor(
      (one): one is Extract<SandboxEvent, { type: 'message-created' | 'message-updated' }> =>
        (one.type === 'message-created' || one.type === 'message-updated') && fits(one.message),
      { since, timeoutMs: DEADLINE_MS },
    );
    return event.message;
  }

  /** A moment on the sandbox's clock, which runs in this process. */
  now(): number {
    return performance.now();
  }
}

/** 24 kHz mono samples of a base64 WAV. */
export function samplesOf(wav: string | undefined): Int16Array {
  if (!wav) return new Int16Array();
  return toInt16(decodeWav(Buffer.from(wav, 'base64')).channels[0] ?? new Float32Array());
}
