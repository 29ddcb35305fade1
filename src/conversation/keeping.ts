import { OptOutList } from '../store/opt-out-list.ts';
import { StoreError } from '../store/store-error.ts';
import type {
  AbandonedTurn,
  ConversationDescription,
  ExportRecord,
  Forgotten,
  TurnStore,
} from '../store/turn-store.ts';
import { UserError } from '../language/user-error.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { Background } from './background.ts';
import type { Forgetting } from './forgettings.ts';
import { speakerLabel } from './history.ts';
import type { Memory } from './memory.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const SWEEP_EVERY_MS = 60 * 60 * 1000;
/** A process that died is found out within this time and its store lease's. */
const TAKE_OVER_EVERY_MS = 15_000;
/** People who could not be told of a crash for so long are not told any more: it is no news. */
const TELL_WITHIN_MS = 60 * 60 * 1000;
/** Sound of a conversation that nobody goes on with: the next answer would not need it. */
const SPEECH_LIFE_MS = DAY_MS;

export interface KeepingParts {
  readonly store: TurnStore;
  readonly memory: Memory;
  readonly retentionDays: number;
  readonly deletionGraceDays: number;
  /** Someone chose whether they want to be heard, from now on. */
  readonly onChoice: (personId: string, optedOut: boolean) => void;
  /**
   * A turn was cut off when its process died: its people must be told, once. Resolves when they were, or when there is
   * nobody to tell; rejects when it is to be tried again.
   */
  readonly onAbandoned: (turn: AbandonedTurn) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is kept of people and conversations: shown, taken away, forgotten, and swept when its time is over. */
export class Keeping implements AsyncDisposable {
  readonly #parts: KeepingParts;
  readonly #optOuts: OptOutList;
  readonly #timers: Disposable[] = [];
  readonly #background: Background;
  #isDisposed = false;

  constructor(parts: KeepingParts) {
    this.#parts = parts;
    this.#background = new Background(parts);
    this.#optOuts = new OptOutList(parts.store.privacy, parts.clock, parts.onChoice);
  }

  /**
   * Begins to keep order, and goes on with it while the store is away. Resolves when it is known who may be heard, or when
   * the store could not be opened at the first try.
   */
  async start(): Promise<void> {
    const known = this.#run(() => this.#optOuts.start());
    this.#every(TAKE_OVER_EVERY_MS, () => this.#takeOver());
    this.#every(TAKE_OVER_EVERY_MS, () => this.#parts.memory.endLeft());
    this.#every(SWEEP_EVERY_MS, () => this.#sweep());
    await this.#parts.store.ready().then(
      () => known,
      () => {},
    );
  }

  /** Whether somebody may be heard. Nobody may until it is known who does not want to be. */
  mayHear(personId: string): boolean {
    return this.#optOuts.has(personId) === false;
  }

  /** Whether somebody is known not to want to be heard. */
  hasOptedOut(personId: string): boolean {
    return this.#optOuts.has(personId) === true;
  }

  get retentionDays(): number {
    return this.#parts.retentionDays;
  }

  /** It is known who does not want to be heard. */
  get knowsWhomToHear(): boolean {
    return this.#optOuts.has('') !== 'unknown';
  }

  /** @throws {UserError} when the store is away: an opt-out counts all the same for as long as this process lives. */
  async setOptedOut(personId: string, optedOut: boolean): Promise<void> {
    if (!optedOut) return kept(this.#optOuts.set(personId, false, Date.now()));
    const { memory, store } = this.#parts;
    const written = memory.forgetting({ what: 'sound', id: personId });
    const atMs = Date.now();
    // Counts at once: it waits for nothing.
    await kept(this.#optOuts.set(personId, true, atMs));
    // What was being written may have come after it.
    if ((await written) && this.hasOptedOut(personId)) await kept(store.privacy.setOptedOut(personId, true, atMs));
  }

  /** @throws {UserError} */
  describe(conversationId: string): Promise<ConversationDescription> {
    return kept(this.#parts.store.conversations.describe(conversationId));
  }

  /** A conversation as Markdown to take away. @throws {UserError} */
  async export(conversationId: string): Promise<string> {
    const lines: string[] = [];
    await kept(
      (async () => {
        for await (const record of this.#parts.store.conversations.export(conversationId))
          lines.push(...linesOf(record));
      })(),
    );
    return `${lines.join('\n\n')}\n`;
  }

  /** @throws {UserError} */
  forgetConversation(conversationId: string): Promise<Forgotten> {
    return kept(this.#forgetConversation(conversationId));
  }

  /** What a person said on one server. @throws {UserError} */
  forgetPerson(personId: string, guildId: string): Promise<Forgotten> {
    const forget = (): Promise<Forgotten> => this.#parts.store.privacy.forgetPerson(personId, guildId);
    return kept(this.#forget({ what: 'person', id: personId, guildId }, forget));
  }

  /** @throws {UserError} */
  forgetGuild(guildId: string): Promise<Forgotten> {
    return kept(this.#forget({ what: 'guild', id: guildId }, () => this.#parts.store.privacy.forgetGuild(guildId)));
  }

  /** Parley has left a server: its data goes after a grace. */
  guildLeft(guildId: string): void {
    void this.#run(() => this.#deleteLater(guildId));
  }

  /** Parley is on this server (again). */
  guildJoined(guildId: string): void {
    void this.#run(() => this.#parts.store.privacy.cancelGuildDeletion(guildId));
  }

  /** Parley is on these servers and on no others: it may have left some while it was away. */
  guildsAre(guildIds: readonly string[]): void {
    const { privacy } = this.#parts.store;
    void this.#run(async () => {
      for (const guildId of guildIds) await privacy.cancelGuildDeletion(guildId);
      const left = new Set(await privacy.guilds()).difference(new Set(guildIds));
      for (const guildId of left) await this.#deleteLater(guildId);
      if (left.size > 0) this.#parts.log.info({ guilds: left.size }, 'servers that were left');
    });
  }

  channelDeleted(channelId: string): void {
    const { settings } = this.#parts.store;
    void this.#run(async () => {
      await this.#forgetConversation(channelId);
      await settings.remove(channelId);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#optOuts[Symbol.dispose]();
    await this.#background[Symbol.asyncDispose]();
  }

  #forgetConversation(id: string): Promise<Forgotten> {
    return this.#forget({ what: 'conversation', id }, () => this.#parts.store.privacy.forgetConversation(id));
  }

  async #forget(what: Forgetting, forget: () => Promise<Forgotten>): Promise<Forgotten> {
    await this.#parts.memory.forgetting(what);
    return forget();
  }

  #deleteLater(guildId: string): Promise<void> {
    const dueAtMs = Date.now() + this.#parts.deletionGraceDays * DAY_MS;
    return this.#parts.store.privacy.scheduleGuildDeletion(guildId, dueAtMs);
  }

  async #takeOver(): Promise<void> {
    const { turns } = this.#parts.store;
    // However many answers the crash cut off in a channel, its people need to know of the crash once.
    const told = new Map<string, boolean>();
    for (const turn of await turns.takeOver()) {
      const { id, shownIn } = turn;
      const isTold = told.get(shownIn) ?? (await this.#tell(turn));
      told.set(shownIn, isTold);
      if (!isTold) {
        turns.noticeFailed(id);
        continue;
      }
      // Told by this process they are all the same: the next one may tell them again.
      await turns.noticeSent(id).catch((error: unknown) => this.#parts.log.warn({ err: error }, 'telling not kept'));
    }
  }

  /** Whether that is over and done with. */
  async #tell(turn: AbandonedTurn): Promise<boolean> {
    const { onAbandoned, log } = this.#parts;
    const facts = { turn: turn.id, channel: turn.conversationId };
    try {
      await onAbandoned(turn);
      log.info(facts, 'turn was cut off by a crash');
      return true;
    } catch (error) {
      const isLate = Date.now() - turn.closedAtMs > TELL_WITHIN_MS;
      log.warn({ ...facts, err: error, triesAgain: !isLate }, 'crash not told');
      return isLate;
    }
  }

  async #sweep(): Promise<void> {
    const nowMs = Date.now();
    const swept = await this.#parts.store.privacy.sweep({
      nowMs,
      turnsBeforeMs: nowMs - this.#parts.retentionDays * DAY_MS,
      speechBeforeMs: nowMs - SPEECH_LIFE_MS,
    });
    this.#parts.log.info({ ...swept }, 'store swept');
  }

  /** Does something now and from then on, so long after the time before was over. */
  #every(intervalMs: number, task: () => Promise<void>): void {
    const index = this.#timers.push({ [Symbol.dispose]: () => {} }) - 1;
    const again = (): void => {
      void this.#run(task).finally(() => {
        if (!this.#isDisposed) this.#timers[index] = this.#parts.clock.after(intervalMs, again);
      });
    };
    again();
  }

  /** The store waits a fault out for a while. What it could not do even so is not done; by {@link Keeping.#every}, the next time. */
  #run(task: () => Promise<void>): Promise<void> {
    return this.#background.run(task);
  }
}

/** What a person asked of the store. */
async function kept<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new UserError({ type: 'plain', id: 'memory-away' }, { cause: error });
  }
}

function linesOf(record: ExportRecord): string[] {
  switch (record.type) {
    case 'conversation':
    case 'opt-out':
    case 'channel-settings':
    case 'guild-deletion':
      return [];
    case 'summary':
      return [`> ${record.text.replaceAll('\n', '\n> ')}`];
    case 'turn':
      return [
        `*${new Date(record.atMs).toISOString()}*`,
        ...record.utterances.map(({ speakerName, text, transcript, speech }) => {
          const words = [text, transcript].filter((part) => part !== undefined).join(' ');
          return `**${speakerLabel(speakerName)}:** ${words || (speech ? `(${Math.round(speech.durationMs / 1000)} s of speech)` : '')}`;
        }),
        ...(record.reply ? [`**Parley:** ${record.reply.text}`] : []),
      ];
  }
}
