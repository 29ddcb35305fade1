import { DiscordAPIError, DiscordjsError } from 'discord.js';

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

/** What Discord did not get, such as while the network is away, is tried again for this long; what it refuses is not. */
const RETRY_FOR_MS = 120_000;
/** Between two tries: from the first on, growing. */
const RETRY_DELAY_MS = 1000;
const RETRY_DELAY_GROWTH = 2;
const MAX_RETRY_DELAY_MS = 10_000;

/** Something to be written to a channel. While it waits it may still change: it is read when its turn comes. */
export interface Writable {
  /** `new`: a message that people wait for, before every edit and as soon as the channel takes one. */
  readonly kind: 'new' | 'edit';
  /** An edit that none follows: worth trying again, as every new message is. */
  readonly isFinal?: boolean;
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
  /** Aborts when Parley stops: then nothing is tried again. */
  readonly #stopping: AbortSignal;
  /** Of what Discord does not get: since when. */
  readonly #failingSinceMs = new WeakMap<Writable, number>();
  /** Tries in a row that Discord did not get. */
  #failures = 0;
  /** Resolves when Discord does not get what is written. */
  #unreachable = Promise.withResolvers<void>();
  /** When the newest writes were done, oldest first. Discord has counted each of them by then. */
  #writtenAtMs: number[] = [];
  #working: Promise<void> | undefined;
  #rest: AbortController | undefined;

  constructor(clock: Clock, log: Log, stopping: AbortSignal) {
    this.#clock = clock;
    this.#log = log;
    this.#stopping = stopping;
  }

  /** Has this written when its turn comes; what waits already keeps its place. */
  enqueue(item: Writable): void {
    if (this.#waiting.includes(item)) return;
    if (this.#waiting.length >= MAX_WAITING) this.#waiting.shift()?.dropped?.();
    this.#waiting.push(item);
    this.#rest?.abort();
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  /**
   * Resolves when everything waiting has been written, which is now done without pauses. While Discord cannot be reached it
   * does not wait for that: what is left is tried again behind everybody's back, until Parley stops.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const written = this.#working;
    await (this.#stopping.aborted ? written : Promise.race([written, this.#unreachable.promise]));
  }

  async #work(): Promise<void> {
    for (let item = await this.#next(); item; item = await this.#next()) {
      try {
        const outcome = await item.write();
        if (outcome !== 'nothing') this.#written();
        if (outcome === 'more' && !this.#waiting.includes(item)) this.#waiting.unshift(item);
        this.#failingSinceMs.delete(item);
        this.#reached();
      } catch (error) {
        this.#written();
        // The library itself refuses what is about a channel that is gone.
        const isRefused = error instanceof DiscordAPIError || error instanceof DiscordjsError;
        if (isRefused) this.#reached();
        const isRetried = !isRefused && this.#isWorthRetrying(item);
        this.#log.warn({ err: error, isRetried }, 'message not written');
        if (isRetried) await this.#retryLater(item);
      }
    }
  }

  #isWorthRetrying(item: Writable): boolean {
    if (this.#stopping.aborted || (item.kind === 'edit' && item.isFinal !== true)) return false;
    const nowMs = this.#clock.nowMs();
    const sinceMs = this.#failingSinceMs.get(item) ?? nowMs;
    this.#failingSinceMs.set(item, sinceMs);
    return nowMs - sinceMs < RETRY_FOR_MS;
  }

  /** It keeps its place, so that what was said first stands first; nothing else would reach Discord meanwhile, either. */
  async #retryLater(item: Writable): Promise<void> {
    if (!this.#waiting.includes(item)) this.#waiting.unshift(item);
    const delayMs = Math.min(RETRY_DELAY_MS * RETRY_DELAY_GROWTH ** this.#failures++, MAX_RETRY_DELAY_MS);
    this.#unreachable.resolve();
    await sleep(this.#clock, delayMs, this.#stopping).catch(() => {});
  }

  #reached(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#unreachable = Promise.withResolvers<void>();
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
