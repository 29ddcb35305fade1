import { AttachmentBuilder, type GuildTextBasedChannel } from 'discord.js';

import type { Mp3Encoder } from '../audio/mp3.ts';
import type { Work } from '../files/kept-work.ts';
import { sentenceFor } from '../language/user-error.ts';
import type { Words } from '../language/words.ts';
import { Narration, type NarratedFile, type NarrationEvent } from '../narration/narration.ts';
import type { Reader } from '../narration/reader.ts';
import type { Spool } from '../narration/spool.ts';
import type { Log } from '../telemetry/log.ts';
import type { JobMessage } from './job-message.ts';
import type { Job } from './jobs.ts';
import type { NarrationPlayer } from './narration-player.ts';
import type { NarrationProgress } from './narration-progress.ts';
import { GIVEN_FROM, passageToJson, type NarrationWish } from './narration-wish.ts';

/** What Discord takes on a server without boosts; what a chapter has more becomes another file. */
const MAX_FILE_BYTES = 10 * 1024 * 1024;

export interface NarrationRunParts {
  readonly wish: NarrationWish;
  readonly words: Words;
  readonly job: Job;
  readonly work: Work;
  readonly message: JobMessage;
  readonly progress: NarrationProgress;
  readonly channel: GuildTextBasedChannel;
  /** What has been read before. */
  readonly spool: Spool;
  /** Chapters whose files were given before. */
  readonly given: ReadonlySet<number>;
  /** Where it is also heard. */
  readonly player: NarrationPlayer | undefined;
}

/** What narrations are made with. */
export interface NarrationTools {
  readonly reader: Reader;
  readonly createEncoder: () => Mp3Encoder;
  readonly log: Log;
  /** Aborts when Parley stops. */
  readonly signal: AbortSignal;
}

/** One narration on its way: read, given as files, heard, and shown in its message. */
export class NarrationRun {
  readonly #run: NarrationRunParts;
  readonly #tools: NarrationTools;
  /** Everything has been given; it may still be heard. */
  #ending: string | undefined;

  constructor(run: NarrationRunParts, tools: NarrationTools) {
    this.#run = run;
    this.#tools = tools;
  }

  /** Shows how it stands. */
  async show(): Promise<void> {
    const { message, progress, player } = this.#run;
    const ending = this.#ending;
    await message.show(ending === undefined ? progress.shown(player?.state) : progress.ended(ending, player?.state));
  }

  /** Does what a button of its player says. */
  control(action: string): void {
    const { player } = this.#run;
    switch (action) {
      case 'pause':
        return player?.pause();
      case 'go-on':
        return player?.goOn();
      case 'back':
        return player?.back();
      case 'on':
        return player?.on();
      case 'stop':
        return player?.stop();
    }
  }

  /** Resolves when it has been given and heard, or another start is to go on with it. */
  async run(): Promise<void> {
    const { job, work, message, player, words } = this.#run;
    const signal = AbortSignal.any([job.signal, work.lost]);
    const playing = player?.run(signal);
    // It is waited for below, which may be hours from now; until then nobody else looks at its rejection.
    playing?.catch(() => undefined);
    try {
      this.#ending = await this.#read(signal);
      if (this.#ending === undefined) {
        if (!work.lost.aborted) await message.show({ content: words.narrate.goesOn, components: [] });
        return;
      }
      player?.allRead();
      await this.show();
      if (playing) {
        await playing;
        if (!work.lost.aborted) await this.show();
      }
      await work.end();
    } finally {
      player?.stop();
      await playing?.catch((error: unknown) => this.#tools.log.warn({ err: error, work: work.id }, 'not heard'));
    }
  }

  /** Reads to the end and gives all files; returns how it ended. `undefined`: another start goes on, or nobody should. */
  async #read(signal: AbortSignal): Promise<string | undefined> {
    const { wish, words, job, work, progress, spool, given } = this.#run;
    const { reader, createEncoder, log } = this.#tools;
    const narration = new Narration({
      script: wish.script,
      style: { voice: wish.voice, pace: wish.pace, manner: wish.manner },
      format: wish.format,
      spool,
      reader,
      createEncoder,
      maxBytes: MAX_FILE_BYTES,
      keep: (passage, sound) => work.keep({ index: passage.index, json: passageToJson(passage), data: sound }),
    });
    try {
      await this.#give(narration.run(given, signal));
    } catch (error) {
      if (work.lost.aborted) return undefined;
      if (this.#tools.signal.aborted && !job.cancelled && work.isKept) return undefined;
      if (!job.cancelled) log.warn({ err: error, work: work.id }, 'not narrated to its end');
      const why = job.cancelled ? words.narrate.cancelled : sentenceFor(error, words);
      if (progress.doneMs === 0) return why;
      if (!job.cancelled) await this.#give(narration.unfinished());
      return `${why} ${words.narrate.cutShort(progress.doneMs)}`;
    }
    const { drifts } = progress;
    const strayed =
      drifts.length === 0
        ? ''
        : `\n${words.narrate.strayed(drifts.length, drifts[0]?.text ?? '', drifts[0]?.said ?? '')}`;
    return `${words.narrate.done(progress.doneMs)}${strayed}`;
  }

  async #give(events: AsyncIterable<NarrationEvent>): Promise<void> {
    const { progress, message, player, work, channel, words, wish } = this.#run;
    for await (const event of events) {
      switch (event.type) {
        case 'passage':
          progress.add(event.passage);
          break;
        case 'file':
          await channel.send({ content: words.narrate.file(event.file), files: [attachmentOf(event.file, wish)] });
          break;
        case 'chapter':
          await work.keep({ index: GIVEN_FROM + event.chapter, json: '{}', data: undefined });
          break;
      }
      await message.progress(() => progress.shown(player?.state));
    }
  }
}

function attachmentOf(
  { chapter, title, part, parts, data }: NarratedFile,
  { script, format }: NarrationWish,
): AttachmentBuilder {
  const number = String(chapter + 1).padStart(String(script.chapters.length).length, '0');
  const words = (title ?? script.title ?? '')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  const names = [number, words, ...(parts > 1 ? [String(part + 1)] : [])].filter((name) => name !== '');
  return new AttachmentBuilder(Buffer.from(data.buffer, data.byteOffset, data.byteLength), {
    name: `${names.join('-')}.${format}`,
  });
}
