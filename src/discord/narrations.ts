import {
  MessageFlags,
  PermissionFlagsBits,
  type ChatInputCommandInteraction,
  type Client,
  type GuildTextBasedChannel,
} from 'discord.js';

import type { KeptWork, Work, WorkHandler } from '../files/kept-work.ts';
import { UserError } from '../language/user-error.ts';
import { wordsFor, type Words } from '../language/words.ts';
import { estimateOf } from '../narration/estimate.ts';
import { Spool } from '../narration/spool.ts';
import { sleep, type Clock } from '../time/clock.ts';
import type { ComponentInteraction } from './command.ts';
import { JobMessage } from './job-message.ts';
import type { Job, Jobs } from './jobs.ts';
import { NarrationPlayer } from './narration-player.ts';
import { NarrationRun, type NarrationTools } from './narration-run.ts';
import { NarrationProgress } from './narration-progress.ts';
import { GIVEN_FROM, passageFromJson, wishFromJson, wishToJson, type NarrationWish } from './narration-wish.ts';
import { FILE_PERMISSIONS, missingPermissions } from './permissions.ts';
import type { VoiceCall } from './voice-call.ts';

/** A question that nobody answers in this time is dropped: Discord lets an answer be changed for 15 minutes. */
const QUESTION_MS = 10 * 60_000;

interface NarrationsParts extends NarrationTools {
  readonly client: Client<true>;
  /** A longer narration begins only after a button was pressed. */
  readonly confirmFromMs: number;
  readonly jobs: Jobs;
  readonly work: KeptWork;
  readonly clock: Clock;
}

/** What can be done with a narration from outside. */
interface Handle {
  readonly ownerId: string;
  /** While it is asked whether it is to begin. */
  start: () => void;
  run: NarrationRun | undefined;
}

/**
 * Reads texts aloud into files and, where a call is going on, into the call. Whatever ends that early, what was read so far
 * is given; and when Parley ends, its next start goes on with it.
 */
export class Narrations {
  readonly #parts: NarrationsParts;
  readonly #handles = new Map<string, Handle>();

  constructor(parts: NarrationsParts) {
    this.#parts = parts;
  }

  /** Answers a command. Resolves when everything has been given, and heard. @throws {UserError} */
  async start(
    interaction: ChatInputCommandInteraction<'cached'>,
    wish: NarrationWish,
    { call, conversationId }: { call: VoiceCall | undefined; conversationId: string },
  ): Promise<void> {
    const { clock, jobs, signal } = this.#parts;
    const words = wordsFor(interaction.locale);
    const channel = channelOf(interaction);
    using job = jobs.start(interaction.id, interaction.user.id, signal);
    using handle = this.#handle(job.id, interaction.user.id);
    let work: Work | undefined;
    const message = JobMessage.ofAnswer(
      interaction,
      this.#messageParts(() => work),
    );
    const estimate = estimateOf(wish.script, wish.pace);
    const progress = new NarrationProgress({ words, clock, jobId: job.id, script: wish.script, estimate });
    if (estimate.durationMs > this.#parts.confirmFromMs) {
      await message.show(progress.question());
      const answer = await this.#answer(job, handle);
      if (answer !== 'start') {
        await message.show({ content: words.narrate[answer], components: [] });
        return;
      }
    }
    await using spool = await Spool.create();
    const player = call && new NarrationPlayer(call, spool);
    await message.show(progress.shown(player?.state));
    work = await this.#parts.work.begin({
      id: `interaction:${interaction.id}`,
      kind: 'narration',
      conversationId,
      guildId: interaction.guildId,
      channelId: channel.id,
      messageId: message.messageId ?? interaction.id,
      askedById: interaction.user.id,
      atMs: Date.now(),
      parameters: wishToJson(wish),
    });
    if (!work) return;
    progress.goOn();
    handle.run = new NarrationRun(
      { wish, words, job, work, message, progress, channel, spool, given: new Set(), player },
      this.#parts,
    );
    await handle.run.run();
  }

  /** Goes on with narrations that another process has begun. They are not heard: whoever listened has gone. */
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
        using job = jobs.start(kept.id.replace(/^interaction:/, ''), kept.askedById, signal);
        const { script } = wish;
        const estimate = estimateOf(script, wish.pace);
        const progress = new NarrationProgress({ words, clock, jobId: job.id, script, estimate });
        await using spool = await Spool.create();
        const given = new Set<number>();
        for await (const { index, json, data } of work.pieces()) {
          if (index >= GIVEN_FROM) given.add(index - GIVEN_FROM);
          // A gap ends what can be gone on from: it is read again.
          else if (index === spool.count) {
            const passage = passageFromJson(json);
            await spool.add(data ?? new Uint8Array(), passage.frames);
            progress.add(passage);
          }
        }
        progress.goOn();
        using handle = this.#handle(job.id, kept.askedById);
        handle.run = new NarrationRun(
          { wish, words, job, work, message, progress, channel, spool, given, player: undefined },
          this.#parts,
        );
        await handle.run.run();
      },
      giveUp: async (kept) => {
        const channel = await this.#channel(kept.channelId);
        const words = wordsFor(channel.guild.preferredLocale);
        const message = JobMessage.ofMessage(
          channel,
          kept.messageId,
          this.#messageParts(() => undefined),
        );
        await message.show({ content: words.narrate.notGoneOn, components: [] });
      },
    };
  }

  /** Somebody has used a button of a narration. @throws {UserError} when it is not theirs to use. */
  async pressed(interaction: ComponentInteraction<'cached'>, action: string, words: Words): Promise<void> {
    const [what = '', id = ''] = action.split(':');
    const handle = this.#handles.get(id);
    if (!handle) {
      await interaction.editReply({ components: [] });
      await interaction.followUp({ content: words.narrate.over, flags: MessageFlags.Ephemeral });
      return;
    }
    const mayManage = interaction.memberPermissions.has(PermissionFlagsBits.ManageMessages);
    if (what === 'cancel') {
      this.#parts.jobs.cancel(id, interaction.user.id, mayManage);
    } else if (what === 'start') {
      if (handle.ownerId !== interaction.user.id && !mayManage)
        throw new UserError({ type: 'plain', id: 'not-your-job' });
      handle.start();
    } else {
      handle.run?.control(what);
      await handle.run?.show();
    }
  }

  /** Waits for the answer to the question whether it is to begin. */
  async #answer(job: Job, handle: Handle): Promise<'start' | 'cancelled' | 'unanswered'> {
    const { promise, resolve } = Promise.withResolvers<'start'>();
    handle.start = () => resolve('start');
    const over = new AbortController();
    const late = sleep(this.#parts.clock, QUESTION_MS, AbortSignal.any([job.signal, over.signal])).then(
      () => 'unanswered' as const,
      () => 'cancelled' as const,
    );
    try {
      return await Promise.race([promise, late]);
    } finally {
      over.abort();
    }
  }

  #handle(id: string, ownerId: string): Handle & Disposable {
    const handle = {
      ownerId,
      start: () => {},
      run: undefined,
      [Symbol.dispose]: () => void this.#handles.delete(id),
    };
    this.#handles.set(id, handle);
    return handle;
  }

  #messageParts(work: () => Work | undefined) {
    const { clock, log } = this.#parts;
    return { clock, log, onMoved: (messageId: string) => void work()?.messageMoved(messageId) };
  }

  /** @throws {UserError} when Parley sees it no more. */
  async #channel(channelId: string): Promise<GuildTextBasedChannel> {
    const channel = await this.#parts.client.channels.fetch(channelId);
    if (channel?.isTextBased() && !channel.isDMBased()) return channel;
    throw new UserError({ type: 'plain', id: 'not-in-server' });
  }
}

/** Where its files go. @throws {UserError} when they cannot. */
function channelOf({ channel }: ChatInputCommandInteraction<'cached'>): GuildTextBasedChannel {
  if (!channel) throw new UserError({ type: 'plain', id: 'not-in-server' });
  const missing = missingPermissions(channel, FILE_PERMISSIONS);
  if (missing.length > 0) throw new UserError({ type: 'permissions', channelName: channel.toString(), missing });
  return channel;
}
