import {
  ChannelType,
  MessageType,
  ThreadAutoArchiveDuration,
  type GuildTextBasedChannel,
  type ThreadChannel,
} from 'discord.js';

import type { TranscriptPart } from '../files/transcript.ts';
import type { Log } from '../telemetry/log.ts';
import { missingPermissions, THREAD_PERMISSIONS } from './permissions.ts';
import { MAX_MESSAGE_LENGTH, splitMessage } from './text.ts';

/** Discord's limit for a thread's name. */
const MAX_NAME_LENGTH = 100;
const MESSAGES_AT_ONCE = 100;

type State =
  /** All words fit one message so far. */
  | { readonly kind: 'not-needed' }
  | { readonly kind: 'open'; readonly thread: ThreadChannel; readonly there: number }
  /** There can be none here, or it takes no more: the words are in the file at the end. */
  | { readonly kind: 'none' };

interface ThreadParts {
  readonly channel: GuildTextBasedChannel | null;
  /** The message it hangs on, once there is one. */
  readonly messageId: () => string | undefined;
  readonly name: string;
  readonly log: Log;
}

/**
 * The words of a long transcription as messages in a thread of their own, as they are ready. Which words are in which
 * message depends on nothing but the words, so that a thread from before a restart is gone on with.
 */
export class TranscriptThread {
  readonly #parts: ThreadParts;
  #state: State = { kind: 'not-needed' };
  #pending = '';
  #written = 0;

  constructor(parts: ThreadParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  /** Takes the next words. Never rejects. */
  async add({ text }: TranscriptPart): Promise<void> {
    const longer = this.#pending === '' ? text.trim() : `${this.#pending}\n\n${text.trim()}`;
    const messages = longer.length <= MAX_MESSAGE_LENGTH ? [longer] : [this.#pending, ...splitMessage(text)];
    this.#pending = messages.pop() ?? '';
    for (const message of messages) await this.#write(message);
  }

  /** The last words; nothing when there is no thread. Never rejects. */
  async finish(): Promise<void> {
    if (this.isOpen) await this.#write(this.#pending);
  }

  async #write(content: string): Promise<void> {
    if (content === '' || this.#state.kind === 'none') return;
    try {
      if (this.#state.kind === 'not-needed') this.#state = await this.#open();
      if (this.#state.kind !== 'open') return;
      this.#written++;
      if (this.#written > this.#state.there) await this.#state.thread.send({ content });
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'no more words into the thread');
      this.#state = { kind: 'none' };
    }
  }

  async #open(): Promise<State> {
    const { channel, name } = this.#parts;
    const messageId = this.#parts.messageId();
    if (messageId === undefined || channel?.type !== ChannelType.GuildText) return { kind: 'none' };
    if (missingPermissions(channel, THREAD_PERMISSIONS).length > 0) return { kind: 'none' };
    // A thread has the id of the message it hangs on.
    const before = await channel.messages.fetch({ message: messageId, force: true });
    if (before.hasThread) {
      const thread = await channel.threads.fetch(messageId);
      if (thread) return { kind: 'open', thread, there: await ownMessages(thread) };
    }
    const thread = await channel.threads.create({
      name: name.slice(0, MAX_NAME_LENGTH),
      startMessage: messageId,
      autoArchiveDuration: ThreadAutoArchiveDuration.OneDay,
    });
    return { kind: 'open', thread, there: 0 };
  }
}

/** How many messages of words are in it. */
async function ownMessages(thread: ThreadChannel): Promise<number> {
  let count = 0;
  for (let before: string | undefined; ;) {
    const page = await thread.messages.fetch({
      limit: MESSAGES_AT_ONCE,
      cache: false,
      ...(before === undefined ? {} : { before }),
    });
    count += page.filter(
      ({ author, type }) => author.id === thread.client.user.id && type === MessageType.Default,
    ).size;
    before = page.last()?.id;
    if (page.size < MESSAGES_AT_ONCE || before === undefined) return count;
  }
}
