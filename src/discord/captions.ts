import { MessageFlags, type GuildTextBasedChannel, type Message } from 'discord.js';

import type { Caption, Captions } from '../conversation/ports.ts';
import type { Log } from '../telemetry/log.ts';
import { sleep, type Clock } from '../time/clock.ts';
import { firstMessage, splitMessage } from './text.ts';

/**
 * Time between two messages or edits in a channel. Discord takes about five in five seconds; discord.js queues the rest,
 * and a queue of stale captions would then run behind the voice.
 */
const SPACING_MS = 1200;

/** Things waiting to be written; beyond this the oldest notice is dropped, since nobody reads a flood. */
const MAX_WAITING = 20;

/** Model text is data: no link previews, and the client's `allowedMentions` lets nothing ping. */
const FLAGS = MessageFlags.SuppressEmbeds;

/** Writes captions and notices to one text channel, within Discord's limits: what is newest wins. */
export class ChannelCaptions implements Captions, AsyncDisposable {
  readonly #channel: GuildTextBasedChannel;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waiting: Writable[] = [];
  readonly #closing = new AbortController();
  #working: Promise<void> | undefined;

  constructor(channel: GuildTextBasedChannel, clock: Clock, log: Log) {
    this.#channel = channel;
    this.#clock = clock;
    this.#log = log;
  }

  begin(): Caption {
    return new ChannelCaption(this.#channel, (caption) => this.#enqueue(caption));
  }

  notice(text: string): void {
    this.#enqueue({ write: async () => void (await this.#channel.send({ content: text, flags: FLAGS })) });
  }

  /** Resolves when everything waiting has been written, which is now done without pauses. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#working;
  }

  #enqueue(item: Writable): void {
    if (this.#waiting.includes(item)) return;
    if (this.#waiting.length >= MAX_WAITING) this.#waiting.shift();
    this.#waiting.push(item);
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  async #work(): Promise<void> {
    for (let item = this.#waiting.shift(); item; item = this.#waiting.shift()) {
      try {
        await item.write();
      } catch (error) {
        this.#log.warn({ err: error }, 'caption not written');
      }
      // Rejects only when nobody waits for more.
      await sleep(this.#clock, SPACING_MS, this.#closing.signal).catch(() => undefined);
    }
  }
}

interface Writable {
  write(): Promise<void>;
}

/** One caption: a message that is edited while its text grows. */
class ChannelCaption implements Caption, Writable {
  readonly #channel: GuildTextBasedChannel;
  readonly #enqueue: (caption: ChannelCaption) => void;
  readonly #settled = Promise.withResolvers<void>();
  #message: Message | undefined;
  #text = '';
  #ending: 'finish' | 'discard' | undefined;

  constructor(channel: GuildTextBasedChannel, enqueue: (caption: ChannelCaption) => void) {
    this.#channel = channel;
    this.#enqueue = enqueue;
  }

  show(text: string): void {
    if (this.#ending) return;
    this.#text = text;
    this.#enqueue(this);
  }

  finish(text: string): Promise<void> {
    this.#text = text;
    return this.#end('finish');
  }

  discard(): Promise<void> {
    return this.#end('discard');
  }

  #end(ending: 'finish' | 'discard'): Promise<void> {
    this.#ending = ending;
    this.#enqueue(this);
    return this.#settled.promise;
  }

  async write(): Promise<void> {
    const ending = this.#ending;
    try {
      if (ending === 'discard') {
        await this.#message?.delete();
        return;
      }
      const [first, ...rest] = ending ? splitMessage(this.#text) : [firstMessage(this.#text)];
      if (first === undefined) return;
      if (!this.#message) this.#message = await this.#channel.send({ content: first, flags: FLAGS });
      else if (this.#message.content !== first) this.#message = await this.#message.edit({ content: first });
      for (const content of rest) await this.#channel.send({ content, flags: FLAGS });
    } finally {
      if (ending) this.#settled.resolve();
    }
  }
}
