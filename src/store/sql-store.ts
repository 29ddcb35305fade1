import type { Clock } from '../time/clock.ts';
import { ConversationKeys } from './conversation-keys.ts';
import { SqlConversations } from './conversations.ts';
import type { Database } from './database.ts';
import type { SqlDialect } from './dialect.ts';
import { SqlJobs } from './jobs.ts';
import type { KeySource } from './key-source.ts';
import { BEAT_MS, Lease } from './lease.ts';
import { migrate } from './migrations.ts';
import type { StoreParts } from './parts.ts';
import { PatientDatabase } from './patient-database.ts';
import { SqlPrivacy } from './privacy.ts';
import { SqlSettings } from './settings.ts';
import { StoreHealth } from './store-health.ts';
import { StoreError, type StoreTrouble } from './store-error.ts';
import type { TurnStore } from './turn-store.ts';
import { SqlTurns } from './turns.ts';

/** While the store is failing the heartbeat finds out whether it is back. */
const FAILING_BEAT_MS = 1000;
const PREPARE_LIMIT_MS = 10_000;
/** Troubles of writing that leave a database readable. */
const READABLE: ReadonlySet<StoreTrouble> = new Set(['locked', 'full', 'read-only']);

/** The store on any SQL database. Opens it by itself, and again after every fault. */
export class SqlStore implements TurnStore {
  readonly turns: SqlTurns;
  readonly conversations: SqlConversations;
  readonly privacy: SqlPrivacy;
  readonly jobs: SqlJobs;
  readonly settings: SqlSettings;
  readonly health = new StoreHealth();
  /** For the commands that move or rewrite a whole store. */
  readonly parts: StoreParts;
  readonly #clock: Clock;
  #beat: Disposable | undefined;
  #isClosed = false;

  constructor(options: { database: Database; dialect: SqlDialect; keys: KeySource; clock: Clock }) {
    const { dialect, clock } = options;
    const keys = new ConversationKeys(options.keys);
    const lease = new Lease(clock);
    const prepare = async (database: Database): Promise<void> => {
      await migrate(database, dialect);
      await keys.open(database, dialect, PREPARE_LIMIT_MS);
      const sentAtMs = clock.nowMs();
      try {
        await database.write([{ query: lease.beat(dialect) }], PREPARE_LIMIT_MS);
        lease.beaten(sentAtMs);
      } catch (error) {
        // What is kept can be read all the same; turns begin with a lease or not at all.
        if (!(error instanceof StoreError) || !READABLE.has(error.kind)) throw error;
        this.health.failing(error, 'write');
      }
    };
    const database = new PatientDatabase(options.database, prepare, this.health, clock);
    this.#clock = clock;
    this.parts = { database, dialect, keys, lease };
    this.turns = new SqlTurns(this.parts);
    this.conversations = new SqlConversations(this.parts);
    this.privacy = new SqlPrivacy(this.parts);
    this.jobs = new SqlJobs(this.parts);
    this.settings = new SqlSettings(this.parts);
    this.health.onChange((state) => {
      // The wait for the next beat began when all was well, and is too long now.
      if (state.kind === 'failing') this.#beatLater();
    });
    this.#beatLater();
  }

  ready(): Promise<void> {
    return this.parts.database.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#beat?.[Symbol.dispose]();
    const { database, dialect, lease } = this.parts;
    // What this process leaves open others may take over at once.
    const leave = dialect.builder.deleteFrom('owners').where('id', '=', lease.ownerId).compile();
    if (this.health.state.kind === 'ok') await database.write([{ query: leave }], 'quick').catch(() => {});
    await database[Symbol.asyncDispose]();
  }

  #beatLater(): void {
    this.#beat?.[Symbol.dispose]();
    if (this.#isClosed) return;
    const delayMs = this.health.state.kind === 'failing' ? FAILING_BEAT_MS : BEAT_MS;
    this.#beat = this.#clock.after(delayMs, () => {
      // The health says how it went.
      void this.#beatNow()
        .catch(() => {})
        .finally(() => this.#beatLater());
    });
  }

  async #beatNow(): Promise<void> {
    const { database, dialect, lease } = this.parts;
    const sentAtMs = this.#clock.nowMs();
    await database.write([{ query: lease.beat(dialect) }], 'quick');
    lease.beaten(sentAtMs);
  }
}
