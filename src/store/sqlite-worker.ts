import { parentPort, workerData, type MessagePort } from 'node:worker_threads';

import { SqliteConnection, TOO_LATE, type SqliteOptions, type SqliteStatement } from './sqlite-connection.ts';
import { StoreError, type StoreTrouble } from './store-error.ts';

/** What the thread is asked to do. */
export type SqliteJob =
  | { readonly kind: 'open' }
  | { readonly kind: 'read'; readonly statements: readonly SqliteStatement[] }
  | { readonly kind: 'write'; readonly statements: readonly SqliteStatement[] }
  | { readonly kind: 'scrub' }
  | { readonly kind: 'close' };

export interface SqliteRequest {
  readonly id: number;
  readonly job: SqliteJob;
  /** On {@link monotonicMs}: nobody waits for the answer after it. */
  readonly deadlineMs: number;
}

export type SqliteAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | {
      readonly id: number;
      readonly ok: false;
      readonly kind: StoreTrouble;
      readonly message: string;
      readonly stack: string | undefined;
      /** The connection was given up. */
      readonly closed: boolean;
    };

/** Milliseconds on a clock that all threads of this process share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

if (parentPort !== null) serve(parentPort, workerData);

function serve(port: MessagePort, options: SqliteOptions): void {
  let connection: SqliteConnection | undefined;

  function run({ job, deadlineMs }: SqliteRequest): unknown {
    const isLate = (): boolean => monotonicMs() > deadlineMs;
    if (job.kind === 'close') {
      connection?.close();
      connection = undefined;
      port.close();
      return undefined;
    }
    if (isLate()) throw new StoreError('overloaded', TOO_LATE);
    if (job.kind === 'open') {
      connection ??= new SqliteConnection(options);
      return undefined;
    }
    if (!connection) throw new StoreError('unavailable', 'the database file is not open');
    switch (job.kind) {
      case 'read':
        return connection.read(job.statements);
      case 'write':
        return connection.write(job.statements, isLate);
      case 'scrub':
        connection.scrub();
    }
    return undefined;
  }

  port.on('message', (request: SqliteRequest) => {
    let answer: SqliteAnswer;
    try {
      answer = { id: request.id, ok: true, value: run(request) };
    } catch (error) {
      const failure = error instanceof StoreError ? error : new StoreError('internal', String(error), { cause: error });
      const closed = connection === undefined || SqliteConnection.isFatal(failure);
      if (closed) {
        connection?.close();
        connection = undefined;
      }
      answer = {
        id: request.id,
        ok: false,
        kind: failure.kind,
        message: failure.message,
        stack: failure.stack,
        closed,
      };
    }
    port.postMessage(answer);
  });
}
