import {
  ActionRowBuilder,
  ButtonBuilder,
  ButtonStyle,
  StringSelectMenuBuilder,
  type GuildTextBasedChannel,
  type Message,
  type MessageActionRowComponentBuilder,
} from 'discord.js';

import { ANSWER_MODES } from '../conversation/channel-settings.ts';
import type { CallPhase, ChannelSettings } from '../conversation/ports.ts';
import { english } from '../language/english.ts';
import type { Words } from '../language/words.ts';
import type { Clock } from '../time/clock.ts';
import { isUnknownMessage } from './captions.ts';
import type { ChannelWriter, Writable } from './channel-writer.ts';
import { customId } from './command.ts';

/** Discord takes few edits of a message that is older than an hour; before that the panel moves to a new one. */
const MAX_AGE_MS = 55 * 60_000;

/** People named at most: a message has 2,000 characters. */
const MAX_NAMED = 12;

/** What the panel shows of a call. */
export interface PanelFacts {
  /** As Discord's messages mention it. */
  readonly voiceChannel: string;
  readonly phase: CallPhase;
  /** Ids of the people who are heard, and of those who are there and are not. */
  readonly heard: readonly string[];
  readonly unheard: readonly string[];
  readonly settings: ChannelSettings;
}

/** A message with its buttons and menus. */
export interface PanelMessage {
  readonly content: string;
  readonly components: ActionRowBuilder<MessageActionRowComponentBuilder>[];
}

export interface PanelParts {
  readonly channel: GuildTextBasedChannel;
  readonly writer: ChannelWriter;
  readonly words: Words;
  readonly voices: readonly string[];
  readonly facts: () => PanelFacts;
  readonly clock: Clock;
}

/**
 * The message that says that Parley listens, how it stands, and what can be done about it. Always brought up to date in
 * place; what it shows is what is true when its turn to be written comes.
 */
export class CallPanel implements Writable {
  readonly kind = 'edit';
  readonly #parts: PanelParts;
  #channel: GuildTextBasedChannel;
  #message: Message | undefined;
  /** The message before, whose buttons are still to go. */
  #former: Message | undefined;
  #shown = '';
  #made: (ChannelSettings & Pick<PanelMessage, 'components'>) | undefined;
  #sinceMs = 0;
  #state: 'live' | 'ended' | 'gone' = 'live';

  constructor(parts: PanelParts) {
    this.#parts = parts;
    this.#channel = parts.channel;
  }

  /** Whether a button of this message is one of the panel's. */
  isIn(messageId: string): boolean {
    return this.#state === 'live' && this.#message?.id === messageId;
  }

  get isFinal(): boolean {
    return this.#state !== 'live';
  }

  /** Shows it for the first time, as the message that `post` makes. */
  async begin(post: (message: PanelMessage) => Promise<Message>): Promise<void> {
    const rendered = this.#render();
    this.#message = await post(rendered);
    this.#noteShown(rendered);
    this.#sinceMs = this.#parts.clock.nowMs();
  }

  /** Something that it shows may have changed. */
  changed(): void {
    // Whether it looks different then is found out when its turn to be written comes: phases change faster than that.
    if (this.#message && this.#state !== 'gone') this.#parts.writer.enqueue(this);
  }

  /** It stands there from now on; the message before is left alone. */
  moveTo(channel: GuildTextBasedChannel): void {
    this.#channel = channel;
    this.changed();
  }

  /** Nobody can read it any more. */
  giveUp(): void {
    this.#state = 'gone';
  }

  /** The call is over: nothing can be done about it any more. */
  end(): void {
    if (this.#state === 'live') this.#state = 'ended';
    this.changed();
  }

  async write(): Promise<'written' | 'nothing' | 'more'> {
    try {
      return this.#former ? await this.#strip(this.#former) : await this.#bringUpToDate();
    } catch (error) {
      if (!isUnknownMessage(error)) throw error;
      // A moderator has taken it away: it stays away.
      this.#state = 'gone';
      return 'written';
    }
  }

  async #bringUpToDate(): Promise<'written' | 'nothing' | 'more'> {
    const { clock } = this.#parts;
    const channel = this.#channel;
    const rendered = this.#render();
    if (!this.#message || this.#state === 'gone') return 'nothing';
    const isElsewhere = this.#message.channelId !== channel.id;
    if (isElsewhere ? this.#state === 'ended' : this.#key(rendered) === this.#shown) return 'nothing';
    if (this.#state === 'live' && (isElsewhere || clock.nowMs() - this.#sinceMs > MAX_AGE_MS)) {
      const message = await channel.send(rendered);
      this.#former = isElsewhere ? undefined : this.#message;
      this.#message = message;
      this.#sinceMs = clock.nowMs();
      this.#noteShown(rendered);
      return 'more';
    }
    this.#message = await this.#message.edit(rendered);
    this.#noteShown(rendered);
    return 'written';
  }

  async #strip(former: Message): Promise<'written'> {
    this.#former = undefined;
    await former.edit({ components: [] }).catch((error: unknown) => {
      if (!isUnknownMessage(error)) throw error;
    });
    return 'written';
  }

  #render(): PanelMessage {
    const { facts, words } = this.#parts;
    const { voiceChannel, phase, heard, unheard, settings } = facts();
    if (this.#state !== 'live') return { content: words.panel.ended(voiceChannel), components: [] };
    const status = words.panel.status({
      phase,
      heard: named(heard, words),
      unheard: named(unheard, words),
      voice: settings.voice,
      answers: words.answers.modes[settings.answers],
    });
    return { content: `${words.join.listening(voiceChannel)}\n\n${status}`, components: this.#componentsFor(settings) };
  }

  /** They are the same as long as the settings are: making them takes half a millisecond. */
  #componentsFor(settings: ChannelSettings): PanelMessage['components'] {
    const { voice, answers } = settings;
    if (this.#made?.voice !== voice || this.#made.answers !== answers) {
      this.#made = { voice, answers, components: this.#components(settings) };
    }
    return this.#made.components;
  }

  #components({ voice, answers }: ChannelSettings): PanelMessage['components'] {
    const { words, voices } = this.#parts;
    const { join, leave, forget, privacy, voice: voiceCommand, answers: answersCommand } = english.commands;
    const { buttons } = words.panel;
    const button = (id: string, label: string, style: ButtonStyle): ButtonBuilder =>
      new ButtonBuilder().setCustomId(id).setLabel(label).setStyle(style);
    const menu = (id: string, options: readonly { value: string; label: string }[], chosen: string) =>
      new StringSelectMenuBuilder()
        .setCustomId(id)
        .addOptions(options.map((option) => ({ ...option, default: option.value === chosen })));
    const row = () => new ActionRowBuilder<MessageActionRowComponentBuilder>();
    return [
      row().addComponents(
        button(customId(join, 'address'), buttons.answerMe, ButtonStyle.Primary),
        button(customId(join, 'stop'), buttons.stop, ButtonStyle.Secondary),
        button(customId(privacy, 'mute'), buttons.muteMe, ButtonStyle.Secondary),
        button(customId(forget, 'ask'), buttons.forget, ButtonStyle.Secondary),
        button(customId(leave, 'now'), buttons.leave, ButtonStyle.Danger),
      ),
      row().addComponents(
        menu(
          customId(voiceCommand, 'choose'),
          voices.map((value) => ({ value, label: words.voice.option(value) })),
          voice,
        ),
      ),
      row().addComponents(
        menu(
          customId(answersCommand, 'choose'),
          ANSWER_MODES.map((value) => ({ value, label: words.answers.option(value) })),
          answers,
        ),
      ),
    ];
  }

  #noteShown(message: PanelMessage): void {
    this.#shown = this.#key(message);
  }

  #key({ content, components }: PanelMessage): string {
    return JSON.stringify([content, components.map((row) => row.toJSON())]);
  }
}

/** Mentions, which ping nobody and show everybody's present name. */
function named(ids: readonly string[], words: Words): string[] {
  const mentions = ids.slice(0, MAX_NAMED).map((id) => `<@${id}>`);
  return ids.length > MAX_NAMED ? [...mentions, words.panel.more(ids.length - MAX_NAMED)] : mentions;
}
