import {
  ActionRowBuilder,
  AttachmentBuilder,
  ButtonBuilder,
  ButtonStyle,
  PermissionFlagsBits,
  type Attachment,
  type ChatInputCommandInteraction,
  type Message,
  type MessageContextMenuCommandInteraction,
} from 'discord.js';

import { exportTranscript, plainText, type TranscriptFormat, type TranscriptPart } from '../files/transcript.ts';
import { english } from '../language/english.ts';
import { sentenceFor, UserError } from '../language/user-error.ts';
import { customId, type CommandContext, type ComponentInteraction } from './command.ts';
import { JobMessage, type Shown } from './job-message.ts';
import type { Job } from './jobs.ts';
import { firstMessage, MAX_MESSAGE_LENGTH } from './text.ts';

/** Of the words so far the newest are shown. */
const SHOWN_CHARACTERS = 1500;
const BAR_CELLS = 12;

export interface TranscriptionRequest {
  readonly file: Attachment;
  readonly language: string | undefined;
  /** `undefined`: the words in the message, or as a text file where they are too many. */
  readonly format: TranscriptFormat | undefined;
}

/** Writes an attached file down and shows how far it is; whatever ends it early, what is written so far is given. */
export async function transcribeTo(
  interaction: ChatInputCommandInteraction<'cached'> | MessageContextMenuCommandInteraction<'cached'>,
  request: TranscriptionRequest,
  context: CommandContext,
): Promise<void> {
  const { words, clock, jobs, transcriber } = context;
  using job = jobs.start(interaction.user.id, context.signal);
  const message = new JobMessage(interaction, clock);
  const progress = new Progress(context, job);
  const cutting = request.format === 'srt' || request.format === 'vtt' ? 'cues' : 'text';
  let ending: string | undefined;
  try {
    for await (const event of transcriber.transcribe(
      request.file,
      { language: request.language, cutting },
      job.signal,
    )) {
      if (event.type === 'begun') progress.totalMs = event.durationMs;
      else if (event.type === 'part') progress.parts.push(event.part);
      else if (event.cut) ending = words.transcribe.onlyBegun(request.file.name, event.durationMs);
      await message.progress(() => progress.shown());
    }
  } catch (error) {
    if (progress.parts.length === 0 && !job.cancelled) {
      // The button goes; what is thrown is told and logged as for every command.
      await message.show({ content: sentenceFor(error, words), components: [] });
      throw error;
    }
    const why = job.cancelled ? words.transcribe.cancelled : sentenceFor(error, words);
    ending = progress.parts.length === 0 ? why : `${why} ${words.transcribe.cutShort(progress.doneMs)}`;
  }
  await message.show(result(progress.parts, ending, request, context));
}

/** Somebody has used the button of a transcription. */
export function cancelTranscription(
  interaction: ComponentInteraction<'cached'>,
  action: string,
  { jobs }: CommandContext,
): void {
  const mayManage = interaction.memberPermissions.has(PermissionFlagsBits.ManageMessages);
  jobs.cancel(action.replace(/^cancel-/, ''), interaction.user.id, mayManage);
}

/** The attachment of a message that has sound, also in a message that was forwarded. @throws {UserError} */
export function soundOf(message: Message): Attachment {
  const forwarded = message.messageSnapshots.flatMap(({ attachments }) => attachments);
  const all = [...message.attachments.values(), ...forwarded.values()];
  const sound = all.find(({ contentType }) => /^(audio|video)\//.test(contentType ?? '')) ?? all[0];
  if (!sound) throw new UserError({ type: 'plain', id: 'no-attachment' });
  return sound;
}

/** How far a transcription is. */
class Progress {
  readonly parts: TranscriptPart[] = [];
  totalMs: number | undefined;
  readonly #context: CommandContext;
  readonly #job: Job;
  readonly #startedAtMs: number;

  constructor(context: CommandContext, job: Job) {
    this.#context = context;
    this.#job = job;
    this.#startedAtMs = context.clock.nowMs();
  }

  get doneMs(): number {
    return this.parts.at(-1)?.endMs ?? 0;
  }

  shown(): Shown {
    const { words } = this.#context;
    const cancel = new ButtonBuilder()
      .setCustomId(customId(english.commands.transcribe, `cancel-${this.#job.id}`))
      .setLabel(words.transcribe.cancel)
      .setStyle(ButtonStyle.Secondary);
    return {
      content: firstMessage(`${this.#line()}\n${plainText(this.parts).slice(-SHOWN_CHARACTERS)}`),
      components: [new ActionRowBuilder<ButtonBuilder>().addComponents(cancel)],
    };
  }

  #line(): string {
    const { words, clock } = this.#context;
    const { doneMs, totalMs } = this;
    const share = totalMs === undefined || totalMs <= 0 ? undefined : Math.min(1, doneMs / totalMs);
    const elapsedMs = clock.nowMs() - this.#startedAtMs;
    const leftMs = share === undefined || share === 0 ? undefined : elapsedMs / share - elapsedMs;
    const bar = share === undefined ? '' : '▰'.repeat(Math.round(share * BAR_CELLS)).padEnd(BAR_CELLS, '▱');
    return words.transcribe.progress({ bar, doneMs, totalMs, leftMs });
  }
}

function result(
  parts: readonly TranscriptPart[],
  ending: string | undefined,
  { file, format }: TranscriptionRequest,
  { words }: CommandContext,
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
