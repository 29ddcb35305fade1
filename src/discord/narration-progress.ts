import { ActionRowBuilder, ButtonBuilder, ButtonStyle } from 'discord.js';

import { FRAME_MS } from '../audio/frame.ts';
import { english } from '../language/english.ts';
import type { Words } from '../language/words.ts';
import type { Drift } from '../narration/drift.ts';
import type { Estimate } from '../narration/estimate.ts';
import type { NarratedPassage } from '../narration/narration.ts';
import { chapterStarts, type Script } from '../narration/script.ts';
import type { Clock } from '../time/clock.ts';
import { customId } from './command.ts';
import type { Shown } from './job-message.ts';
import type { PlayerState } from './narration-player.ts';
import { firstMessage } from './text.ts';

const BAR_CELLS = 12;

/** What the buttons of a narration do. */
export type NarrationAction = 'start' | 'cancel' | 'pause' | 'go-on' | 'back' | 'on' | 'stop';

/** How far a narration is, and what it looks like. */
export class NarrationProgress {
  readonly drifts: Drift[] = [];
  readonly #parts: { words: Words; clock: Clock; jobId: string; script: Script; estimate: Estimate };
  readonly #starts: readonly number[];
  readonly #characters: number;
  #doneCharacters = 0;
  #doneFrames = 0;
  #donePassages = 0;
  /** Where this process began. */
  #begun: { atMs: number; characters: number };

  constructor(parts: { words: Words; clock: Clock; jobId: string; script: Script; estimate: Estimate }) {
    this.#parts = parts;
    this.#starts = chapterStarts(parts.script);
    this.#characters = this.#passages.reduce((sum, { text }) => sum + text.length, 0);
    this.#begun = { atMs: parts.clock.nowMs(), characters: 0 };
  }

  get doneMs(): number {
    return this.#doneFrames * FRAME_MS;
  }

  add({ index, frames, drift }: NarratedPassage): void {
    this.#doneCharacters += this.#passages[index]?.text.length ?? 0;
    this.#doneFrames += frames;
    this.#donePassages = index + 1;
    if (drift) this.drifts.push(drift);
  }

  /** What has been added so far was there already. */
  goOn(): void {
    this.#begun = { atMs: this.#parts.clock.nowMs(), characters: this.#doneCharacters };
  }

  /** Before it is begun: what it will take. */
  question(): Shown {
    const { words, script, estimate } = this.#parts;
    return {
      content: words.narrate.question({ ...estimate, chapters: script.chapters.length }),
      components: [this.#row(['start', 'cancel'])],
    };
  }

  shown(player: PlayerState | undefined): Shown {
    const { words, script } = this.#parts;
    const chapter = Math.max(
      0,
      this.#starts.findLastIndex((start) => start <= this.#donePassages),
    );
    const shown = script.chapters[Math.min(chapter, script.chapters.length - 1)];
    const where = script.chapters.length > 1 ? words.narrate.chapter(chapter + 1, shown?.title) : '';
    return {
      content: firstMessage(`${this.#line()}\n${where}`.trim()),
      components: [...this.#playerRow(player), this.#row(['cancel'])],
    };
  }

  /** All is read and given; it may still be heard. */
  ended(content: string, player: PlayerState | undefined): Shown {
    return { content: firstMessage(content), components: this.#playerRow(player) };
  }

  #line(): string {
    const { words, clock, estimate } = this.#parts;
    const share = this.#characters === 0 ? 1 : this.#doneCharacters / this.#characters;
    const speed = (this.#doneCharacters - this.#begun.characters) / (clock.nowMs() - this.#begun.atMs);
    return words.narrate.progress({
      bar: '▰'.repeat(Math.round(share * BAR_CELLS)).padEnd(BAR_CELLS, '▱'),
      doneMs: this.doneMs,
      // From what was read so far, once that says more than a guess does.
      totalMs: share > 0.1 ? this.doneMs / share : estimate.durationMs,
      leftMs: speed > 0 ? (this.#characters - this.#doneCharacters) / speed : undefined,
      tokens: estimate.tokens,
    });
  }

  #playerRow(player: PlayerState | undefined): ActionRowBuilder<ButtonBuilder>[] {
    if (player === undefined || player === 'ended') return [];
    return [this.#row([player === 'paused' ? 'go-on' : 'pause', 'back', 'on', 'stop'])];
  }

  #row(actions: readonly NarrationAction[]): ActionRowBuilder<ButtonBuilder> {
    const { words, jobId } = this.#parts;
    const buttons = actions.map((action) =>
      new ButtonBuilder()
        .setCustomId(customId(english.commands.narrate, `${action}:${jobId}`))
        .setLabel(words.narrate.buttons[action])
        .setStyle(action === 'start' ? ButtonStyle.Primary : ButtonStyle.Secondary),
    );
    return new ActionRowBuilder<ButtonBuilder>().addComponents(buttons);
  }

  get #passages() {
    return this.#parts.script.chapters.flatMap(({ passages }) => passages);
  }
}
