import type { JobKind, JobPiece, JobStore, KeptJob, OpenJob } from '../store/job-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { Slots } from './slots.ts';

/** A process that died is found out within this time and its store lease's. */
const TAKE_OVER_EVERY_MS = 15_000;
/** Work that was taken over so often without a step forward ends every process that does it, as far as anybody can see. */
const MAX_TAKE_OVERS = 3;
/** Of each kind. After a crash everything is left behind at once. */
const RESUMED_AT_ONCE = 2;

/** The work was forgotten with its conversation, or another process does it now: it is to end without a word. */
class WorkLostError extends Error {
  override readonly name = 'WorkLostError';
}

/** Long work whose finished pieces are kept. A store that is away costs that, and nothing else. */
export class Work {
  readonly id: string;
  readonly #store: JobStore;
  readonly #log: Log;
  readonly #lost = new AbortController();
  #isKept: boolean;

  constructor(id: string, parts: { readonly store: JobStore; readonly log: Log; readonly isKept: boolean }) {
    this.id = id;
    this.#store = parts.store;
    this.#log = parts.log;
    this.#isKept = parts.isKept;
  }

  /** Whether it is gone on with after this process. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** Aborts with a {@link WorkLostError}. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Keeps a finished piece. Never rejects. */
  async keep(piece: JobPiece): Promise<void> {
    await this.#try(async () => {
      if ((await this.#store.keepPiece(this.id, piece)) === 'refused')
        this.#lost.abort(new WorkLostError('forgotten, or taken over'));
    });
  }

  /** The pieces that are kept, in order. @throws {StoreError} */
  pieces(fromIndex = 0): AsyncIterable<JobPiece> {
    return this.#store.pieces(this.id, fromIndex);
  }

  async messageMoved(messageId: string): Promise<void> {
    await this.#try(() => this.#store.moveMessage(this.id, messageId));
  }

  /** People have the result, or know that there is none. */
  async end(): Promise<void> {
    await this.#try(() => this.#store.end(this.id));
    this.#isKept = false;
  }

  async #try(keeping: () => Promise<void>): Promise<void> {
    if (!this.#isKept) return;
    try {
      await keeping();
    } catch (error) {
      // The store says by itself that it is away.
      this.#log[error instanceof StoreError ? 'debug' : 'warn']({ err: error, work: this.id }, 'work not kept');
    }
  }
}

/** How work of a kind is gone on with. */
export interface WorkHandler {
  /** Resolves when it has ended, or must stop; whatever it throws is for {@link WorkHandler.giveUp}. */
  resume(job: OpenJob, work: Work): Promise<void>;
  /** It cannot be gone on with: its people are to be told. */
  giveUp(job: OpenJob): Promise<void>;
}

interface KeptWorkParts {
  readonly store: JobStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when Parley stops: what is left then is gone on with at the next start. */
  readonly signal: AbortSignal;
}

/** Begins long work that outlives this process, and goes on with what other processes left behind. */
export class KeptWork implements AsyncDisposable {
  readonly #parts: KeptWorkParts;
  readonly #timers = new Map<JobKind, Disposable>();
  readonly #running = new Set<Promise<void>>();
  #isDisposed = false;

  constructor(parts: KeptWorkParts) {
    this.#parts = parts;
  }

  /** `undefined`: another process does it. */
  async begin(job: KeptJob): Promise<Work | undefined> {
    const { store, log } = this.#parts;
    let isKept = true;
    try {
      if ((await store.begin(job)) === 'duplicate') return undefined;
    } catch (error) {
      log.warn({ err: error, work: job.id }, 'work begins without being kept');
      isKept = false;
    }
    return new Work(job.id, { store, log, isKept });
  }

  /** Goes on with what was left behind of this kind, now and from now on. */
  goOn(kind: JobKind, handler: WorkHandler): void {
    const slots = new Slots(RESUMED_AT_ONCE, Number.POSITIVE_INFINITY);
    const look = (): void => {
      const looking = this.#takeOver(kind, handler, slots).finally(() => {
        if (!this.#isDisposed) this.#timers.set(kind, this.#parts.clock.after(TAKE_OVER_EVERY_MS, look));
      });
      this.#track(looking);
    };
    look();
  }

  /** Resolves when the work that was gone on with has stopped: abort the signal before. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    await Promise.all(this.#running);
  }

  async #takeOver(kind: JobKind, handler: WorkHandler, slots: Slots): Promise<void> {
    const { store, log } = this.#parts;
    try {
      for (const job of await store.takeOver(kind)) this.#track(this.#resume(job, handler, slots));
    } catch (error) {
      log[error instanceof StoreError ? 'debug' : 'warn']({ err: error }, 'left work not looked for');
    }
  }

  async #resume(job: OpenJob, handler: WorkHandler, slots: Slots): Promise<void> {
    const { store, log, signal } = this.#parts;
    const work = new Work(job.id, { store, log, isKept: true });
    try {
      using _ = await slots.take(signal);
      log.info({ work: job.id, kind: job.kind, takeOvers: job.takeOvers }, 'work is gone on with');
      if (job.takeOvers <= MAX_TAKE_OVERS) return await handler.resume(job, work);
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error, work: job.id }, 'work not gone on with');
    }
    await handler.giveUp(job).catch((error: unknown) => log.warn({ err: error, work: job.id }, 'end of work not told'));
    await work.end();
  }

  #track(running: Promise<void>): void {
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }
}
