import {
  DiscordAPIError,
  MessageFlags,
  RESTJSONErrorCodes,
  type GuildTextBasedChannel,
  type Message,
} from 'discord.js';

import { speakerLabel } from '../conversation/history.ts';
import type { Caption, Captions, Speaker } from '../conversation/ports.ts';
import type { ChannelWriter, Writable } from './channel-writer.ts';
import { asWritten, firstMessage, splitMessage } from './text.ts';

/** Captions that have begun and show nothing yet; more than this and the oldest has nothing to say. */
const MAX_BEGUN = 50;

/** Model text is data: no link previews, and the client's `allowedMentions` lets nothing ping. */
const FLAGS = MessageFlags.SuppressEmbeds;

/** Shown of a person's words while they are not written down yet and the answer to them is there. */
const NO_WORDS_YET = '…';

/**
 * Writes captions and notices to one text channel. Who began to speak first stands first: an answer that is there before
 * the words it answers leaves a place for them.
 */
export class ChannelCaptions implements Captions {
  readonly #writer: ChannelWriter;
  #channel: GuildTextBasedChannel;
  /** In the order they began, those that have no message yet. */
  #begun: ChannelCaption[] = [];

  constructor(channel: GuildTextBasedChannel, writer: ChannelWriter) {
    this.#channel = channel;
    this.#writer = writer;
  }

  begin(speaker?: Speaker): Caption {
    const caption = new ChannelCaption(
      () => this.#channel,
      speaker,
      () => this.#changed(caption),
    );
    this.#begun = [...this.#begun, caption].slice(-MAX_BEGUN);
    return caption;
  }

  /** From now on everything is written there; what is in the middle of being said, anew. */
  moveTo(channel: GuildTextBasedChannel): void {
    this.#channel = channel;
  }

  notice(text: string): void {
    this.#writer.enqueue({
      kind: 'new',
      write: async () => {
        await this.#channel.send({ content: text, flags: FLAGS });
        return 'written';
      },
    });
  }

  #changed(caption: ChannelCaption): void {
    const place = this.#begun.indexOf(caption);
    if (place !== -1 && caption.isToBeSeen) {
      const before = this.#begun.slice(0, place).filter(({ speaker }) => speaker !== undefined);
      this.#begun = this.#begun.filter((one) => one !== caption && !before.includes(one));
      for (const one of before) one.show(NO_WORDS_YET);
    }
    this.#writer.enqueue(caption);
  }
}

/** One caption: a message that is edited while its text grows. */
class ChannelCaption implements Caption, Writable {
  readonly speaker: Speaker | undefined;
  readonly #channel: () => GuildTextBasedChannel;
  readonly #changed: () => void;
  readonly #settled = Promise.withResolvers<void>();
  #message: Message | undefined;
  #text = '';
  #ending: 'finish' | 'discard' | undefined;
  /** Messages of the finished text that are there: a long one takes several. */
  #finished = 0;

  constructor(channel: () => GuildTextBasedChannel, speaker: Speaker | undefined, changed: () => void) {
    this.#channel = channel;
    this.speaker = speaker;
    this.#changed = changed;
  }

  get kind(): 'new' | 'edit' {
    return this.isToBeSeen && (this.#message === undefined || this.#finished > 0) ? 'new' : 'edit';
  }

  get isFinal(): boolean {
    return this.#ending !== undefined;
  }

  /** There are words, and they will not be taken away again. */
  get isToBeSeen(): boolean {
    return this.#text !== '' && this.#ending !== 'discard';
  }

  show(text: string): void {
    if (this.#ending || text.trim() === '') return;
    this.#text = text;
    this.#changed();
  }

  finish(text: string): Promise<void> {
    this.#text = text;
    return this.#end(text.trim() === '' ? 'discard' : 'finish');
  }

  discard(): Promise<void> {
    return this.#end('discard');
  }

  #end(ending: 'finish' | 'discard'): Promise<void> {
    this.#ending = ending;
    this.#changed();
    return this.#settled.promise;
  }

  dropped(): void {
    if (this.#ending) this.#settled.resolve();
  }

  async write(): Promise<'written' | 'nothing' | 'more'> {
    let isOver = this.#ending !== undefined;
    try {
      const outcome = this.#ending === 'discard' ? await this.#takeAway() : await this.#bringUpToDate();
      if (outcome === 'more') isOver = false;
      return outcome;
    } catch (error) {
      // A moderator has taken it away: it stays away.
      if (!isUnknownMessage(error)) throw error;
      this.#ending ??= 'discard';
      return 'written';
    } finally {
      if (isOver) this.#settled.resolve();
    }
  }

  async #takeAway(): Promise<'written' | 'nothing'> {
    const message = this.#message;
    // What was left behind in another channel may be gone with it.
    if (!message || message.channelId !== this.#channel().id) return 'nothing';
    await message.delete();
    this.#message = undefined;
    return 'written';
  }

  async #bringUpToDate(): Promise<'written' | 'nothing' | 'more'> {
    const isFinal = this.#ending === 'finish';
    const text = this.speaker ? spokenBy(this.speaker, this.#text) : this.#text;
    const parts = isFinal ? splitMessage(text) : [firstMessage(text)];
    const content = parts[this.#finished];
    if (content === undefined) return 'nothing';
    const channel = this.#channel();
    if (this.#message?.channelId !== channel.id) this.#message = undefined;
    const isShown = this.#finished === 0 && this.#message?.content === content;
    if (this.#finished > 0) await channel.send({ content, flags: FLAGS });
    else if (!this.#message) this.#message = await channel.send({ content, flags: FLAGS });
    else if (!isShown) this.#message = await this.#message.edit({ content });
    if (isFinal) this.#finished++;
    if (isFinal && this.#finished < parts.length) return 'more';
    return isShown ? 'nothing' : 'written';
  }
}

function spokenBy({ name }: Speaker, words: string): string {
  return `**${asWritten(speakerLabel(name))}:** ${asWritten(words)}`;
}

/** Discord no longer has the message. */
export function isUnknownMessage(error: unknown): boolean {
  return error instanceof DiscordAPIError && error.code === RESTJSONErrorCodes.UnknownMessage;
}
