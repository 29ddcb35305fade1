import { UserError } from '../language/user-error.ts';

/** Work that takes longer than a moment, and that may be called off. Disposing says that it has ended. */
export interface Job extends Disposable {
  readonly id: string;
  /** Aborts when the job is called off or Parley stops. */
  readonly signal: AbortSignal;
  /** Whether somebody has called it off. */
  readonly cancelled: boolean;
}

/** The jobs of this process that people may call off. */
export class Jobs {
  readonly #running = new Map<string, { readonly ownerId: string; readonly controller: AbortController }>();

  /** @param id names it in its buttons: the same after a restart. */
  start(id: string, ownerId: string, signal: AbortSignal): Job {
    const controller = new AbortController();
    this.#running.set(id, { ownerId, controller });
    return {
      id,
      signal: AbortSignal.any([signal, controller.signal]),
      get cancelled() {
        return controller.signal.aborted;
      },
      [Symbol.dispose]: () => void this.#running.delete(id),
    };
  }

  /**
   * Calls a job off; nothing happens when it has ended.
   * @throws {UserError} when it is somebody else's.
   */
  cancel(id: string, userId: string, mayManage: boolean): void {
    const job = this.#running.get(id);
    if (!job) return;
    if (job.ownerId !== userId && !mayManage) throw new UserError({ type: 'plain', id: 'not-your-job' });
    job.controller.abort();
  }
}
