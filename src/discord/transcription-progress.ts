import { ActionRowBuilder, ButtonBuilder, ButtonStyle } from 'discord.js';

import { plainText, type TranscriptPart } from '../files/transcript.ts';
import { english } from '../language/english.ts';
import type { Words } from '../language/words.ts';
import type { Clock } from '../time/clock.ts';
import { customId } from './command.ts';
import type { Shown } from './job-message.ts';
import { firstMessage } from './text.ts';

/** Of the words so far the newest are shown. */
const SHOWN_CHARACTERS = 1500;
const BAR_CELLS = 12;

/** How far a transcription is. */
export class TranscriptionProgress {
  readonly parts: TranscriptPart[] = [];
  totalMs: number | undefined;
  readonly #words: Words;
  readonly #clock: Clock;
  readonly #jobId: string;
  readonly #startedAtMs: number;
  /** Where it was when it began, or was gone on with: the time before says nothing of the speed. */
  #beganAtMs = 0;

  constructor({ words, clock, jobId }: { words: Words; clock: Clock; jobId: string }) {
    this.#words = words;
    this.#clock = clock;
    this.#jobId = jobId;
    this.#startedAtMs = clock.nowMs();
  }

  get doneMs(): number {
    return this.parts.at(-1)?.endMs ?? 0;
  }

  /** What is there already when it is gone on with. */
  goOnFrom(parts: readonly TranscriptPart[]): void {
    this.#beganAtMs = parts.at(-1)?.endMs ?? 0;
  }

  shown(isInThread: boolean): Shown {
    const cancel = new ButtonBuilder()
      .setCustomId(customId(english.commands.transcribe, `cancel-${this.#jobId}`))
      .setLabel(this.#words.transcribe.cancel)
      .setStyle(ButtonStyle.Secondary);
    const words = isInThread ? this.#words.transcribe.inThread : plainText(this.parts).slice(-SHOWN_CHARACTERS);
    return {
      content: firstMessage(`${this.#line()}\n${words}`.trim()),
      components: [new ActionRowBuilder<ButtonBuilder>().addComponents(cancel)],
    };
  }

  #line(): string {
    const { doneMs, totalMs } = this;
    const share = totalMs === undefined || totalMs <= 0 ? undefined : Math.min(1, doneMs / totalMs);
    const speed = (doneMs - this.#beganAtMs) / (this.#clock.nowMs() - this.#startedAtMs);
    const leftMs = totalMs === undefined || !(speed > 0) ? undefined : Math.max(0, totalMs - doneMs) / speed;
    const bar = share === undefined ? '' : '▰'.repeat(Math.round(share * BAR_CELLS)).padEnd(BAR_CELLS, '▱');
    return this.#words.transcribe.progress({ bar, doneMs, totalMs, leftMs });
  }
}
