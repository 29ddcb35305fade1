import {
  DiscordAPIError,
  RESTJSONErrorCodes,
  type ChatInputCommandInteraction,
  type GuildTextBasedChannel,
  type InteractionEditReplyOptions,
  type MessageContextMenuCommandInteraction,
} from 'discord.js';

import { UserError } from '../language/user-error.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { isExpired } from './interactions.ts';
import { CAPTION_PERMISSIONS, FILE_PERMISSIONS, missingPermissions } from './permissions.ts';

/** Discord lets a message be edited five times in five seconds, and nobody reads faster than this. */
const SHOW_EVERY_MS = 2_500;
/** Work that has gone on for long changes slowly. */
const SHOW_SELDOM_EVERY_MS = 15_000;
const LONG_MS = 10 * 60_000;

/** What a message shows. */
export type Shown = Required<Pick<InteractionEditReplyOptions, 'content' | 'components'>> &
  Pick<InteractionEditReplyOptions, 'files'>;

interface JobMessageParts {
  readonly clock: Clock;
  readonly log: Log;
  /** The work's message is another one now. */
  readonly onMoved: (messageId: string) => void;
}

/**
 * The message of work that goes on for longer than the 15 minutes in which Discord lets it be changed as the answer to a
 * command, or than the process that began it. It is changed as the ordinary message it also is then, and when it is gone, or
 * takes no more changes, another takes its place: the result of work is never lost.
 */
export class JobMessage {
  readonly #parts: JobMessageParts;
  readonly #channel: GuildTextBasedChannel | null;
  readonly #startedAtMs: number;
  /** `undefined` once it takes nothing any more. */
  #interaction: ChatInputCommandInteraction<'cached'> | MessageContextMenuCommandInteraction<'cached'> | undefined;
  #messageId: string | undefined;
  #shownAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    parts: JobMessageParts,
    place: {
      readonly channel: GuildTextBasedChannel | null;
      readonly interaction?: ChatInputCommandInteraction<'cached'> | MessageContextMenuCommandInteraction<'cached'>;
      readonly messageId?: string;
    },
  ) {
    this.#parts = parts;
    this.#channel = place.channel;
    this.#interaction = place.interaction;
    this.#messageId = place.messageId;
    this.#startedAtMs = parts.clock.nowMs();
  }

  /** The answer to a command. */
  static ofAnswer(
    interaction: ChatInputCommandInteraction<'cached'> | MessageContextMenuCommandInteraction<'cached'>,
    parts: JobMessageParts,
  ): JobMessage {
    return new JobMessage(parts, { interaction, channel: interaction.channel });
  }

  /** A message of Parley's from before. */
  static ofMessage(channel: GuildTextBasedChannel, messageId: string, parts: JobMessageParts): JobMessage {
    return new JobMessage(parts, { channel, messageId });
  }

  /** `undefined` until it was shown for the first time. */
  get messageId(): string | undefined {
    return this.#messageId;
  }

  /** Shows how far it is, unless that has been shown a moment ago. Work does not end because this does not succeed. */
  async progress(shown: () => Shown): Promise<void> {
    const { clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    const everyMs = nowMs - this.#startedAtMs > LONG_MS ? SHOW_SELDOM_EVERY_MS : SHOW_EVERY_MS;
    if (nowMs - this.#shownAtMs < everyMs) return;
    this.#shownAtMs = nowMs;
    try {
      await this.show(shown());
    } catch (error) {
      log.warn({ err: error }, 'progress not shown');
    }
  }

  async show(shown: Shown): Promise<void> {
    if (!(await this.#asAnswer(shown))) await this.#inChannel(shown);
    this.#shownAtMs = this.#parts.clock.nowMs();
  }

  async #asAnswer(shown: Shown): Promise<boolean> {
    if (!this.#interaction) return false;
    try {
      this.#messageId = (await this.#interaction.editReply(shown)).id;
      return true;
    } catch (error) {
      if (!isExpired(error) && !takesNoChange(error)) throw error;
      this.#interaction = undefined;
      return false;
    }
  }

  async #inChannel({ content, components, files = [] }: Shown): Promise<void> {
    const channel = this.#channel;
    // Nobody can read it there any more.
    if (!channel) return;
    const missing = missingPermissions(channel, files.length > 0 ? FILE_PERMISSIONS : CAPTION_PERMISSIONS);
    if (missing.length > 0) throw new UserError({ type: 'permissions', channelName: channel.toString(), missing });
    const payload = { content: content ?? '', components, files };
    if (this.#messageId !== undefined) {
      try {
        await channel.messages.edit(this.#messageId, payload);
        return;
      } catch (error) {
        if (!takesNoChange(error)) throw error;
      }
    }
    this.#messageId = (await channel.send(payload)).id;
    this.#parts.onMoved(this.#messageId);
  }
}

/** A message that somebody has deleted, or that is old and was changed too often. */
function takesNoChange(error: unknown): boolean {
  return (
    error instanceof DiscordAPIError &&
    (error.code === RESTJSONErrorCodes.UnknownMessage ||
      error.code === RESTJSONErrorCodes.MaximumNumberOfEditsToMessagesOlderThanOneHourReached)
  );
}
