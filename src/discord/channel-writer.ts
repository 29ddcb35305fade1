import type { Log } from '../telemetry/log.ts';
import { sleep, type Clock } from '../time/clock.ts';

/**
 * What a channel takes: messages and edits together, five in five seconds. Discord says only to read its headers; this is
 * what is observed. discord.js would queue the rest, and a queue of stale words would then run behind the voice.
 */
const MOST_WRITES = 5;
const WINDOW_MS = 5000;

/** Of these the last is left to a message that is new: edits can wait, and what they show is newer then. */
const MOST_EDITS = MOST_WRITES - 1;
const EDIT_SPACING_MS = 1200;

/** Things waiting to be written; beyond this the oldest is dropped, since nobody reads a flood. */
const MAX_WAITING = 20;

/** Something to be written to a channel. While it waits it may still change: it is read when its turn comes. */
export interface Writable {
  /** `new`: a message that people wait for, before every edit and as soon as the channel takes one. */
  readonly kind: 'new' | 'edit';
  /** Makes one request, or finds that none is needed; `more`: the next one belongs to it, too. */
  write(): Promise<'written' | 'nothing' | 'more'>;
  /** It will not be written. */
  dropped?(): void;
}

/** Writes to one text channel, one thing after the other, within Discord's limits. */
export class ChannelWriter implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waiting: Writable[] = [];
  readonly #closing = new AbortController();
  /** When the newest writes were done, oldest first. Discord has counted each of them by then. */
  #writtenAtMs: number[] = [];
  #working: Promise<void> | undefined;
  #rest: AbortController | undefined;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Has this written when its turn comes; what waits already keeps its place. */
  enqueue(item: Writable): void {
    if (this.#waiting.includes(item)) return;
    if (this.#waiting.length >= MAX_WAITING) this.#waiting.shift()?.dropped?.();
    this.#waiting.push(item);
    this.#rest?.abort();
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  /** Resolves when everything waiting has been written, which is now done without pauses. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    for (let item = await this.#next(); item; item = await this.#next()) {
      try {
        const outcome = await item.write();
        if (outcome !== 'nothing') this.#written();
        if (outcome === 'more' && !this.#waiting.includes(item)) this.#waiting.unshift(item);
      } catch (error) {
        this.#written();
        this.#log.warn({ err: error }, 'message not written');
      }
    }
  }

  /** What is to be written next, once the channel takes it. */
  async #next(): Promise<Writable | undefined> {
    for (;;) {
      const item = this.#waiting.find(({ kind }) => kind === 'new') ?? this.#waiting[0];
      if (!item) return undefined;
      const waitMs = this.#closing.signal.aborted ? 0 : this.#waitMs(item);
      if (waitMs <= 0) {
        this.#waiting.splice(this.#waiting.indexOf(item), 1);
        return item;
      }
      this.#rest = new AbortController();
      // Something that may be written sooner has come.
      await sleep(this.#clock, waitMs, AbortSignal.any([this.#rest.signal, this.#closing.signal])).catch(() => {});
      this.#rest = undefined;
    }
  }

  #waitMs({ kind }: Writable): number {
    const nowMs = this.#clock.nowMs();
    const room = this.#writtenAtMs.at(kind === 'new' ? -MOST_WRITES : -MOST_EDITS);
    const waitMs = room === undefined ? 0 : room + WINDOW_MS - nowMs;
    const last = this.#writtenAtMs.at(-1);
    return kind === 'new' || last === undefined ? waitMs : Math.max(waitMs, last + EDIT_SPACING_MS - nowMs);
  }

  #written(): void {
    this.#writtenAtMs = [...this.#writtenAtMs, this.#clock.nowMs()].slice(-MOST_WRITES);
  }
}
