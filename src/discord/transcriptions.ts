import {
  AttachmentBuilder,
  type Attachment,
  type ChatInputCommandInteraction,
  type Client,
  type GuildTextBasedChannel,
  type Message,
  type MessageContextMenuCommandInteraction,
} from 'discord.js';

import type { KeptWork, Work, WorkHandler } from '../files/kept-work.ts';
import type { Transcriber } from '../files/transcriber.ts';
import { exportTranscript, plainText, type TranscriptFormat, type TranscriptPart } from '../files/transcript.ts';
import { sentenceFor, UserError } from '../language/user-error.ts';
import { wordsFor, type Words } from '../language/words.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { JobMessage, type Shown } from './job-message.ts';
import type { Job, Jobs } from './jobs.ts';
import { FILE_PERMISSIONS, missingPermissions } from './permissions.ts';
import { firstMessage, MAX_MESSAGE_LENGTH } from './text.ts';
import { TranscriptThread } from './transcript-thread.ts';
import { TranscriptionProgress } from './transcription-progress.ts';
import {
  fileOf,
  partsFromJson,
  partsToJson,
  wishFromJson,
  wishToJson,
  type TranscriptionWish,
} from './transcription-wish.ts';

export interface TranscriptionRequest {
  readonly file: Attachment;
  /** The message whose file it is. */
  readonly source: Message | undefined;
  readonly language: string | undefined;
  readonly format: TranscriptFormat | undefined;
}

interface TranscriptionsParts {
  readonly client: Client<true>;
  readonly transcriber: Transcriber;
  readonly jobs: Jobs;
  readonly work: KeptWork;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when Parley stops. */
  readonly signal: AbortSignal;
}

/** A transcription that runs. */
interface Run {
  readonly wish: TranscriptionWish;
  readonly words: Words;
  readonly job: Job;
  readonly work: Work;
  readonly message: JobMessage;
  readonly progress: TranscriptionProgress;
  readonly channel: GuildTextBasedChannel | null;
  readonly done: ReadonlyMap<number, readonly TranscriptPart[]>;
}

/**
 * Writes attached files down and shows how far it is. Whatever ends that early, what is written so far is given; and when
 * Parley ends, its next start goes on with it.
 */
export class Transcriptions {
  readonly #parts: TranscriptionsParts;

  constructor(parts: TranscriptionsParts) {
    this.#parts = parts;
  }

  /** Answers a command. Resolves when the result is there. */
  async start(
    interaction: ChatInputCommandInteraction<'cached'> | MessageContextMenuCommandInteraction<'cached'>,
    { file, source, language, format }: TranscriptionRequest,
    conversationId: string,
  ): Promise<void> {
    const { clock, jobs, signal } = this.#parts;
    const words = wordsFor(interaction.locale);
    const { id, url, name, size } = file;
    const wish: TranscriptionWish = {
      file: { id, url, name, size },
      language,
      format,
      source: source && { channelId: source.channelId, messageId: source.id },
      locale: interaction.locale,
    };
    using job = jobs.start(interaction.id, interaction.user.id, signal);
    let work: Work | undefined;
    const message = JobMessage.ofAnswer(
      interaction,
      this.#messageParts(() => work),
    );
    const progress = new TranscriptionProgress({ words, clock, jobId: job.id });
    await message.show(progress.shown(false));
    work = await this.#parts.work.begin({
      id: `interaction:${interaction.id}`,
      kind: 'transcription',
      conversationId,
      guildId: interaction.guildId,
      channelId: interaction.channelId,
      messageId: message.messageId ?? interaction.id,
      askedById: interaction.user.id,
      atMs: Date.now(),
      parameters: wishToJson(wish),
    });
    if (!work) return;
    await this.#run({ wish, words, job, work, message, progress, channel: interaction.channel, done: new Map() });
  }

  /** Goes on with transcriptions that another process has begun. */
  get handler(): WorkHandler {
    return {
      resume: async (kept, work) => {
        const { clock, jobs, signal } = this.#parts;
        const wish = wishFromJson(kept.parameters);
        const words = wordsFor(wish.locale);
        const channel = await this.#channel(kept.channelId);
        const message = JobMessage.ofMessage(
          channel,
          kept.messageId,
          this.#messageParts(() => work),
        );
        const done = new Map<number, readonly TranscriptPart[]>();
        for await (const { index, json } of work.pieces()) done.set(index, partsFromJson(json));
        using job = jobs.start(kept.id.replace(/^interaction:/, ''), kept.askedById, signal);
        const progress = new TranscriptionProgress({ words, clock, jobId: job.id });
        progress.goOnFrom([...done.values()].flat());
        await this.#run({ wish, words, job, work, message, progress, channel, done });
      },
      giveUp: async (kept) => {
        const channel = await this.#channel(kept.channelId);
        const words = wordsFor(channel.guild.preferredLocale);
        const message = JobMessage.ofMessage(
          channel,
          kept.messageId,
          this.#messageParts(() => undefined),
        );
        await message.show({ content: words.errors['not-gone-on'], components: [] });
      },
    };
  }

  async #run(run: Run): Promise<void> {
    const { wish, words, job, work, message, progress, channel, done } = run;
    const { client, transcriber, log, signal } = this.#parts;
    const cutting = wish.format === 'srt' || wish.format === 'vtt' ? 'cues' : 'text';
    const thread = new TranscriptThread({ channel, messageId: () => message.messageId, name: wish.file.name, log });
    const pieces = {
      done,
      keep: (index: number, parts: readonly TranscriptPart[]) =>
        work.keep({ index, json: partsToJson(parts), data: undefined }),
    };
    let ending: string | undefined;
    try {
      const options = { language: wish.language, cutting } as const;
      const both = AbortSignal.any([job.signal, work.lost]);
      for await (const event of transcriber.transcribe(fileOf(wish, client), options, pieces, both)) {
        if (event.type === 'begun') progress.totalMs = event.durationMs;
        else if (event.type === 'ended') {
          if (event.cut) ending = words.transcribe.onlyBegun(wish.file.name, event.durationMs);
        } else {
          progress.parts.push(event.part);
          if (wish.format === undefined) await thread.add(event.part);
        }
        await message.progress(() => progress.shown(thread.isOpen));
      }
    } catch (error) {
      if (work.lost.aborted) return;
      if (signal.aborted && !job.cancelled && work.isKept) {
        const { content } = progress.shown(thread.isOpen);
        await message.show({ content: firstMessage(`*${words.transcribe.goesOn}*\n${content}`), components: [] });
        return;
      }
      if (!job.cancelled) log.warn({ err: error, work: work.id }, 'not transcribed to its end');
      const why = job.cancelled ? words.transcribe.cancelled : sentenceFor(error, words);
      ending = progress.parts.length === 0 ? why : `${why} ${words.transcribe.cutShort(progress.doneMs)}`;
    }
    await thread.finish();
    await this.#show(run, ending);
    await work.end();
  }

  async #show({ wish, words, message, progress, channel }: Run, ending: string | undefined): Promise<void> {
    const shown = result(progress.parts, ending, wish, words);
    const missing = channel && shown.files ? missingPermissions(channel, FILE_PERMISSIONS) : [];
    if (!channel || missing.length === 0) return message.show(shown);
    const problem = new UserError({ type: 'permissions', channelName: channel.toString(), missing });
    await message.show({ ...shown, content: sentenceFor(problem, words), files: [] });
  }

  #messageParts(work: () => Work | undefined) {
    const { clock, log } = this.#parts;
    return { clock, log, onMoved: (messageId: string) => void work()?.messageMoved(messageId) };
  }

  /** @throws {UserError} when Parley sees it no more. */
  async #channel(channelId: string): Promise<GuildTextBasedChannel> {
    const channel = await this.#parts.client.channels.fetch(channelId);
    if (channel?.isTextBased() && !channel.isDMBased()) return channel;
    throw new UserError({ type: 'plain', id: 'not-gone-on' });
  }
}

function result(
  parts: readonly TranscriptPart[],
  ending: string | undefined,
  { file, format }: TranscriptionWish,
  words: Words,
): Shown {
  const text = plainText(parts);
  if (parts.length === 0) return { content: ending ?? words.transcribe.noWords(file.name), components: [] };
  const whole = [text, ...(ending === undefined ? [] : [`*${ending}*`])].join('\n\n');
  if (format === undefined && whole.length <= MAX_MESSAGE_LENGTH)
    return { content: firstMessage(whole), components: [] };
  const name = `${file.name.replace(/\.\w{1,5}$/, '')}.${format ?? 'txt'}`;
  const data = Buffer.from(exportTranscript(parts, format ?? 'txt', file.name));
  return {
    content: firstMessage(ending ?? words.transcribe.done(file.name)),
    components: [],
    files: [new AttachmentBuilder(data, { name })],
  };
}
