import type { GuildBasedChannel, GuildTextBasedChannel, VoiceBasedChannel } from 'discord.js';

import type { Words } from '../language/words.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { CallPanel, type PanelFacts } from './call-panel.ts';
import { ChannelCaptions } from './captions.ts';
import { ChannelWriter } from './channel-writer.ts';
import { CAPTION_PERMISSIONS, missingPermissions } from './permissions.ts';
import type { VoiceRoom } from './voice-room.ts';

export interface CallTextOptions {
  readonly textChannel: GuildTextBasedChannel;
  readonly words: Words;
  readonly voices: readonly string[];
  readonly facts: () => PanelFacts;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when Parley stops. */
  readonly stopping: AbortSignal;
}

/** What a call writes, and where. Disposing shows that the call has ended, after what is being written has been written. */
export class CallText implements AsyncDisposable {
  readonly captions: ChannelCaptions;
  readonly panel: CallPanel;
  readonly #words: Words;
  readonly #writer: ChannelWriter;
  readonly #log: Log;
  #channel: GuildTextBasedChannel;
  /** The voice channel whose people have been told there that they are heard. */
  #toldIn: string | undefined;

  constructor({ textChannel: channel, words, voices, facts, clock, log, stopping }: CallTextOptions) {
    this.#channel = channel;
    this.#words = words;
    this.#log = log;
    this.#writer = new ChannelWriter(clock, log, stopping);
    this.captions = new ChannelCaptions(channel, this.#writer);
    this.panel = new CallPanel({ channel, writer: this.#writer, words, voices, facts, clock });
  }

  /**
   * Channels or permissions have changed. Words that cannot appear where they did go on in the voice channel's own chat.
   * @returns whether they can appear anywhere.
   */
  keepWriting(voiceChannel: VoiceBasedChannel | undefined, goneChannelId: string | undefined): boolean {
    if (isThere(this.#channel, goneChannelId) && takesWords(this.#channel)) return true;
    if (!voiceChannel || voiceChannel.id === this.#channel.id || !takesWords(voiceChannel)) {
      this.panel.giveUp();
      return false;
    }
    this.#channel = voiceChannel;
    this.captions.moveTo(voiceChannel);
    this.captions.notice(this.#words.call.wordsHere);
    this.panel.moveTo(voiceChannel);
    return true;
  }

  /** Whoever is heard must be able to know: those who cannot see the panel are told in the voice channel's own chat. */
  tellUnseeing(room: VoiceRoom): void {
    const { channel } = room;
    if (!channel || this.#toldIn === channel.id || room.canSee(this.#channel)) return;
    this.#toldIn = channel.id;
    if (takesWords(channel)) {
      new ChannelCaptions(channel, this.#writer).notice(this.#words.join.listeningUnseen(channel.toString()));
    } else {
      this.#log.warn({}, 'people who cannot see the panel are not told that they are heard');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.panel.end();
    await this.#writer[Symbol.asyncDispose]();
  }
}

/** A thread goes with its channel. */
function isThere(channel: GuildTextBasedChannel, goneChannelId: string | undefined): boolean {
  return channel.id !== goneChannelId && !(channel.isThread() && channel.parentId === goneChannelId);
}

function takesWords(channel: GuildBasedChannel): boolean {
  return missingPermissions(channel, CAPTION_PERMISSIONS).length === 0;
}
