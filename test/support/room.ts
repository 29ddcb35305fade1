import type { SandboxClient } from '../../src/sandbox/control/client.ts';
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
import { monotonicClock, sleep } from '../../src/time/clock.ts';

/** Generous: a test that fails by it has failed, one that passes never waits for it. */
const DEADLINE_MS = 20_000;

export interface Person {
  readonly id: string;
  readonly name: string;
}

type Options = Record<string, string | Upload>;

export interface Said extends SpokenReport {
  /** What was spoken, base64 WAV. */
  readonly wav: string;
}

export interface Reply {
  readonly request: ModelRequestRecord;
  readonly heard: Heard;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One server of the sandbox with two people, a text and a voice channel, and what they do there. */
export class Room {
  readonly client: SandboxClient;
  readonly botId: string;
  readonly guildId: string;
  readonly text: Person;
  readonly voice: Person;
  readonly alice: Person;
  readonly bob: Person;
  /** When Alice last called the bot. */
  calledAtMs = 0;

  constructor(
    client: SandboxClient,
    botId: string,
    furniture: { guildId: string; text: Person; voice: Person; alice: Person; bob: Person },
  ) {
    this.client = client;
    this.botId = botId;
    this.guildId = furniture.guildId;
    this.text = furniture.text;
    this.voice = furniture.voice;
    this.alice = furniture.alice;
    this.bob = furniture.bob;
  }

  /** Runs a slash command in the text channel and waits until it is answered or has failed. */
  async run(
    person: Person,
    command: string,
    options: Options = {},
    channelId = this.text.id,
  ): Promise<InteractionSnapshot> {
    const { interactionId } = await this.client.runCommand({ personId: person.id, channelId, command, options });
    return this.answered(interactionId);
  }

  /** Waits until the command is answered or has failed. */
  async answered(interactionId: string): Promise<InteractionSnapshot> {
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
  async ask(person: Person, command: string, options: Options = {}, channelId = this.text.id): Promise<string> {
    const { state, messages } = await this.run(person, command, options, channelId);
    return state === 'failed' ? 'The application did not respond' : (messages[0]?.content ?? '');
  }

  /** Alice joins the voice channel and calls the bot; resolves when it listens. */
  async call(): Promise<void> {
    await this.client.join({ personId: this.alice.id, channelId: this.voice.id });
    this.calledAtMs = now();
    const answer = await this.ask(this.alice, 'join');
    if (!answer.includes('listening')) throw new Error(`the bot did not come: ${answer}`);
    // People can read that a moment before the bot knows that they can, and only then does it listen.
    await this.run(this.alice, 'help');
  }

  /** Sends the bot away, if it is there. */
  async leave(): Promise<void> {
    await this.run(this.alice, 'leave');
    for (const person of [this.alice, this.bob]) await this.client.leave({ personId: person.id }).catch(() => {});
  }

  /** Sound of these words, as the base64 WAV that people speak. */
  async recording(text: string, voice: SandboxVoice = 'slt'): Promise<string> {
    return (await this.client.synthesize({ text, voice })).wav;
  }

  /** Speaks; resolves when the last packet has left. */
  async say(person: Person, text: string, voice: SandboxVoice = 'slt'): Promise<Said> {
    const wav = await this.recording(text, voice);
    return { wav, ...(await this.client.speak({ personId: person.id, wav })) };
  }

  /** Alice says something and the reply is heard to its end. */
  async turn(text = 'Hello there.', person = this.alice): Promise<{ said: Said; reply: Reply }> {
    const said = await this.say(person, text);
    return { said, reply: await this.replied(said) };
  }

  /** The next moment from `since` on at which the bot starts or stops to speak in this server. */
  botSpeaking(speaking: boolean, since: number): Promise<SandboxEvent> {
    return this.client.waitFor(
      (event) => event.type === 'bot-speaking' && event.guildId === this.guildId && event.speaking === speaking,
      { since, timeoutMs: DEADLINE_MS },
    );
  }

  /** Waits until the reply to what was said has been heard to its end. */
  async replied(said: Pick<Said, 'lastVoicePacketAtMs'>, listener = this.alice): Promise<Reply> {
    const since = said.lastVoicePacketAtMs;
    const from = await this.botSpeaking(true, since);
    const to = await this.botSpeaking(false, from.atMs);
    const request = await this.ended(await this.request(since));
    const heard = await this.client.heard({ personId: listener.id, fromUserId: this.botId, sinceMs: from.atMs });
    return { request, heard, fromMs: from.atMs, toMs: to.atMs };
  }

  /** The first request for an answer from then on, complete as far as it has come. */
  async request(since: number): Promise<ModelRequestRecord> {
    const event = await this.client.waitFor(
      (one): one is Extract<SandboxEvent, { type: 'model-request' }> =>
        one.type === 'model-request' && one.endpoint === 'chat',
      { since, timeoutMs: DEADLINE_MS },
    );
    const requests = await this.client.modelRequests({});
    const request = requests.find(({ id }) => id === event.requestId);
    if (!request) throw new Error('the model keeps no record of a request');
    return request;
  }

  /** The request once its answer has ended. */
  async ended(request: Pick<ModelRequestRecord, 'id'>): Promise<ModelRequestRecord> {
    await this.client.waitFor((one) => one.type === 'model-ended' && one.requestId === request.id, {
      timeoutMs: DEADLINE_MS,
    });
    const ended = (await this.client.modelRequests({})).find(({ id }) => id === request.id);
    if (!ended) throw new Error('the model keeps no record of a request');
    return ended;
  }

  /** A message of this server's channels that fits, from `since` on, as it was when it fitted. */
  async message(fits: (message: MessageSnapshot) => boolean, since = 0): Promise<MessageSnapshot> {
    const event = await this.client.waitFor(
      (one): one is Extract<SandboxEvent, { type: 'message-created' | 'message-updated' }> =>
        (one.type === 'message-created' || one.type === 'message-updated') &&
        one.message.channelId === this.text.id &&
        fits(one.message),
      { since, timeoutMs: DEADLINE_MS },
    );
    return event.message;
  }

  /** Presses a button, or chooses from a menu, of a message in the text channel. */
  async press(person: Person, message: MessageSnapshot, customId: string, value?: string): Promise<string> {
    const place = { personId: person.id, channelId: message.channelId, messageId: message.id, customId };
    const { interactionId } = await (value === undefined
      ? this.client.pressButton(place)
      : this.client.selectOptions({ ...place, values: [value] }));
    return interactionId;
  }

  /** What somebody is told when they press a button, or choose from a menu. */
  async told(person: Person, message: MessageSnapshot, customId: string, value?: string): Promise<MessageSnapshot> {
    const interactionId = await this.press(person, message, customId, value);
    const { interaction } = await this.client.waitFor(
      (event): event is Extract<SandboxEvent, { type: 'interaction-updated' }> =>
        event.type === 'interaction-updated' &&
        event.interaction.id === interactionId &&
        event.interaction.messages.length > 0,
      { timeoutMs: DEADLINE_MS },
    );
    const [told] = interaction.messages;
    if (!told) throw new Error('nobody was told anything');
    return told;
  }

  /** Waits for these words in the text channel. */
  async reads(text: string, since = 0): Promise<MessageSnapshot> {
    return this.message(({ content }) => content === text, since);
  }

  /** Everything in the text channel, oldest first. */
  messages(): Promise<MessageSnapshot[]> {
    return this.client.messages({ channelId: this.text.id });
  }
}

/** A moment on the sandbox's clock, which runs in this process. */
export function now(): number {
  return performance.now();
}

/** Lets time pass in the story: people do not do everything at once. Never used to wait for the bot. */
export function beat(ms: number): Promise<void> {
  return sleep(monotonicClock, ms);
}
