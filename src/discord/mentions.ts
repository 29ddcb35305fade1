import { cleanContent, Events, MessageFlags, type Client, type Message } from 'discord.js';

import type { Answer, Chat, Question, Show } from '../conversation/chat.ts';
import type { Keeping } from '../conversation/keeping.ts';
import type { AttachedSpeech } from '../files/attached-speech.ts';
import { sentenceFor, UserError } from '../language/user-error.ts';
import { wordsFor, type Words } from '../language/words.ts';
import type { Log } from '../telemetry/log.ts';
import { missingPermissions, CAPTION_PERMISSIONS } from './permissions.ts';
import { splitMessage } from './text.ts';
import { checkHeard, soundOf } from './transcription.ts';
import type { VoiceCalls } from './voice-calls.ts';

/** What somebody with a subscription may write; everybody else writes 2,000 characters at most. */
const MAX_PROMPT_LENGTH = 4000;

export interface MentionParts {
  readonly calls: VoiceCalls;
  readonly chat: Chat;
  readonly keeping: Keeping;
  readonly files: AttachedSpeech;
  /** Aborts when Parley shuts down. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Answers messages that mention Parley, as replies to them. Of all other messages Discord tells bots without the privileged
 * intent nothing but that there are some.
 */
export class Mentions {
  readonly #parts: MentionParts;
  readonly #running = new Set<Promise<void>>();
  /** Channels in which somebody has been asked for patience, until the answer they wait for is there. */
  readonly #toldToWait = new Set<string>();

  constructor(parts: MentionParts) {
    this.#parts = parts;
  }

  /** Takes every message from now on. */
  listen(client: Client<true>): void {
    client.on(Events.MessageCreate, (message) => {
      // Who is mentioned with everyone is not meant; bots would answer each other without end.
      if (message.author.bot || message.system || !message.mentions.users.has(client.user.id)) return;
      if (!message.inGuild()) return;
      const running = this.#answer(message, client.user.id);
      this.#running.add(running);
      void running.finally(() => this.#running.delete(running));
    });
  }

  /** Resolves when what is being answered has been. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Never rejects. */
  async #answer(message: Message<true>, botId: string): Promise<void> {
    const { calls } = this.#parts;
    const { guildId, channelId, author, guild } = message;
    const log = this.#parts.log.child({ message: message.id, guild: guildId, channel: channelId });
    // Who mentions Parley in writing may well go on aloud.
    const isHeard = calls.address(guildId, author.id);
    if (missingPermissions(message.channel, CAPTION_PERMISSIONS).length > 0) {
      log.info({}, 'mentioned where it may not write');
      return;
    }
    const words = wordsFor(guild.preferredLocale);
    try {
      const prompt = promptOf(message, botId);
      if (prompt === '' && message.attachments.size === 0) {
        await reply(message, isHeard ? words.mention.listening : words.mention.empty);
        return;
      }
      const show = async (answer: Answer): Promise<void> => {
        this.#toldToWait.delete(channelId);
        await reply(message, answer.text || words.ask.noWords);
        if (answer.memoryAway) await reply(message, words.memory.away);
      };
      if (await this.#ask(message, prompt, show)) log.info({}, 'mention answered');
    } catch (error) {
      log.warn({ err: error }, 'mention not answered');
      await this.#tell(message, error, words).catch((cause: unknown) => log.warn({ err: cause }, 'failure not told'));
    }
  }

  async #ask(message: Message<true>, prompt: string, show: Show): Promise<boolean> {
    const { calls, chat, signal } = this.#parts;
    const { id, guildId, channelId, author, member } = message;
    if (prompt.length > MAX_PROMPT_LENGTH) throw new UserError({ type: 'plain', id: 'prompt-too-long' });
    const speech = await this.#speechIn(message, prompt);
    // Only a sign that it is being worked on: it may be missing.
    void message.channel.sendTyping().catch(() => {});
    return chat.ask(
      {
        turnId: `message:${id}`,
        guildId,
        shownIn: channelId,
        conversationId: calls.conversationOf(guildId, channelId),
        author: { id: author.id, name: member?.displayName ?? author.displayName },
        prompt: prompt || undefined,
        speech,
        output: 'text',
      },
      show,
      signal,
    );
  }

  /** The sound that is attached. Beside words, files that are no sound are left alone. */
  async #speechIn(message: Message<true>, prompt: string): Promise<Question['speech']> {
    const { keeping, files, signal } = this.#parts;
    if (message.attachments.size === 0) return undefined;
    const file = soundOf(message);
    if (prompt !== '' && !/^(audio|video)\//.test(file.contentType ?? '')) return undefined;
    checkHeard(message.author.id, message.author.id, keeping);
    return files.speechOf(file, signal);
  }

  /** Of a flood each message but one goes unanswered: the replies would be a flood of their own. */
  async #tell(message: Message<true>, error: unknown, words: Words): Promise<void> {
    const isBusy = error instanceof UserError && error.problem.type === 'plain' && error.problem.id === 'busy';
    if (isBusy && this.#toldToWait.has(message.channelId)) return;
    if (isBusy) this.#toldToWait.add(message.channelId);
    await reply(message, sentenceFor(error, words));
  }
}

/** What was written, the mention of Parley left out and others shown by name. */
function promptOf({ content, channel }: Message<true>, botId: string): string {
  return cleanContent(content.replaceAll(new RegExp(`<@!?${botId}>`, 'g'), ' '), channel)
    .replace(/[^\S\n]+/g, ' ')
    .trim();
}

/** Replies with text of any length. A message that is gone meanwhile, or may not be replied to, is answered all the same. */
async function reply(message: Message<true>, text: string): Promise<void> {
  const [first = '…', ...rest] = splitMessage(text);
  const mayReply = missingPermissions(message.channel, ['ReadMessageHistory']).length === 0;
  const reference = mayReply ? { reply: { messageReference: message, failIfNotExists: false } } : {};
  await message.channel.send({ content: first, flags: MessageFlags.SuppressEmbeds, ...reference });
  for (const content of rest) await message.channel.send({ content, flags: MessageFlags.SuppressEmbeds });
}
