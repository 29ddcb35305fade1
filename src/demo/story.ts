import { styleText } from 'node:util';

import type { SpokenTurn, TurnTiming } from './stage.ts';

/** The least likeness at which two recordings count as the same sound after the codec. */
const SAME_SOUND = 0.95;

/** Tells the demo as it happens: to the terminal, and as Markdown for the folder. Keeps count of what did not hold. */
export class Story {
  readonly #write: (line: string) => void;
  readonly #markdown: string[] = [];
  readonly #failures: string[] = [];

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  get markdown(): string {
    return `${this.#markdown.join('\n')}\n`;
  }

  get failures(): readonly string[] {
    return this.#failures;
  }

  scene(title: string): void {
    this.#write(`\n${styleText('bold', title)}`);
    this.#markdown.push(`## ${title}`, '');
  }

  /** Someone says or writes something. */
  says(name: string, text: string): void {
    this.#write(`  ${styleText('cyan', name.padEnd(8))}${text}`);
    this.#markdown.push(`**${name}:** ${text}`, '');
  }

  note(text: string): void {
    this.#write(`  ${' '.repeat(8)}${styleText('dim', text)}`);
    this.#markdown.push(`*${text}*`, '');
  }

  /** A spoken turn with what was measured of it. `fileName` is where the reply was written. */
  turn(turn: SpokenTurn, fileName: string): void {
    for (const line of turn.lines) {
      this.says(line.actor.name, line.text);
      const seconds = ((line.report.lastVoicePacketAtMs - line.report.firstPacketAtMs) / 1000).toFixed(1);
      this.note(
        `heard ${seconds} s of ${line.actor.name}; likeness of what the model received ${line.likeness.toFixed(3)}`,
      );
      this.holds(line.likeness >= SAME_SOUND, `the model received what ${line.actor.name} said`);
    }
    this.says('Parley', turn.replyText);
    this.note(timingLine(turn.timing));
    if (turn.likeness === undefined) return;
    this.note(`likeness of what was heard ${turn.likeness.toFixed(3)} (${fileName})`);
    this.holds(turn.likeness >= SAME_SOUND, 'the reply heard is the reply sent');
  }

  /** Checks a promise; a broken one fails the demo. */
  holds(kept: boolean, promise: string): void {
    if (kept) return;
    this.#failures.push(promise);
    this.#write(`  ${' '.repeat(8)}${styleText('red', `does not hold: ${promise}`)}`);
  }
}

function timingLine({ totalMs, modelMs, heldMs }: TurnTiming): string {
  const ms = (value: number): string => `${Math.round(value)} ms`;
  return `answered after ${ms(totalMs)}: the model took ${ms(modelMs)}, and ${ms(heldMs)} later it was heard`;
}
