import type {
  ChatInputCommandInteraction,
  InteractionEditReplyOptions,
  Message,
  MessageContextMenuCommandInteraction,
} from 'discord.js';

import type { Clock } from '../time/clock.ts';
import { isExpired } from './interactions.ts';

/** Discord lets a message be edited five times in five seconds, and nobody reads faster than this. */
const SHOW_EVERY_MS = 2_500;

/** What a message shows. */
export type Shown = Required<Pick<InteractionEditReplyOptions, 'content' | 'components'>> &
  Pick<InteractionEditReplyOptions, 'files'>;

/**
 * The answer to a command whose work goes on for longer than the 15 minutes in which Discord lets it be changed as an
 * answer. After that it is changed as the ordinary message it also is.
 */
export class JobMessage {
  readonly #interaction: ChatInputCommandInteraction<'cached'> | MessageContextMenuCommandInteraction<'cached'>;
  readonly #clock: Clock;
  #message: Message | undefined;
  #shownAtMs = Number.NEGATIVE_INFINITY;
  #expired = false;

  constructor(
    interaction: ChatInputCommandInteraction<'cached'> | MessageContextMenuCommandInteraction<'cached'>,
    clock: Clock,
  ) {
    this.#interaction = interaction;
    this.#clock = clock;
  }

  /** Shows how far it is, unless that has been shown a moment ago. */
  async progress(shown: () => Shown): Promise<void> {
    if (this.#clock.nowMs() - this.#shownAtMs < SHOW_EVERY_MS) return;
    await this.show(shown());
  }

  async show(shown: Shown): Promise<void> {
    try {
      if (!this.#expired) this.#message = await this.#interaction.editReply(shown);
      else await this.#inChannel(shown);
    } catch (error) {
      if (this.#expired || !isExpired(error)) throw error;
      this.#expired = true;
      await this.#inChannel(shown);
    }
    this.#shownAtMs = this.#clock.nowMs();
  }

  async #inChannel({ content, components, files = [] }: Shown): Promise<void> {
    const { channel } = this.#interaction;
    if (!channel) return;
    const payload = { content: content ?? '', components, files };
    if (this.#message) await channel.messages.edit(this.#message, payload);
    else this.#message = await channel.send(payload);
  }
}
