import { fork } from 'node:child_process';

import { AttachmentError } from '../files/attachment-error.ts';
import type { Attached } from '../files/attached-speech.ts';
import { saveAttachment, type AttachmentHost } from '../files/fetch.ts';
import { Slots } from '../files/slots.ts';
import { TemporaryFile } from '../files/temporary-file.ts';
import { UserError } from '../language/user-error.ts';
import type { Clock } from '../time/clock.ts';
import type { DocumentJob, DocumentMessage, TextDocument } from './document.ts';

/** A book with its pictures. */
const MAX_FILE_BYTES = 20 * 1024 * 1024;
/** A book of a thousand pages takes a second. */
const DEADLINE_MS = 8_000;
const CHILD_HEAP_MB = 192;

const FILES_AT_ONCE = 2;
const MAX_WAITING = 8;

/** Fetches attached texts and books. */
export class Documents {
  readonly #parts: { readonly hosts: readonly AttachmentHost[]; readonly clock: Clock };
  readonly #slots = new Slots(FILES_AT_ONCE, MAX_WAITING);

  constructor(parts: { readonly hosts: readonly AttachmentHost[]; readonly clock: Clock }) {
    this.#parts = parts;
  }

  /** @throws {UserError} that names the file and what is wrong with it. */
  async read({ url, name, size = 0 }: Attached, signal: AbortSignal): Promise<TextDocument> {
    if (size > MAX_FILE_BYTES) throw new UserError({ type: 'file', trouble: 'too-large', fileName: name });
    using slot = await this.#slots.take(signal);
    if (!slot) throw new UserError({ type: 'plain', id: 'busy' });
    try {
      await using file = await TemporaryFile.empty();
      await saveAttachment(url, file.path, { ...this.#parts, maxBytes: MAX_FILE_BYTES, signal });
      return await readDocument({ path: file.path, name }, this.#parts.clock, signal);
    } catch (error) {
      if (!(error instanceof AttachmentError)) throw error;
      throw new UserError({ type: 'file', trouble: error.kind, fileName: name }, { cause: error });
    }
  }
}

/**
 * Reads a document in a child process, to which a hostile file can do no more than end it.
 * @throws {AttachmentError}; the signal's reason when it aborts.
 */
export async function readDocument(job: DocumentJob, clock: Clock, signal: AbortSignal): Promise<TextDocument> {
  signal.throwIfAborted();
  const child = fork(new URL('./document-child.ts', import.meta.url), {
    // It may read files, and nothing else.
    execArgv: [`--max-old-space-size=${CHILD_HEAP_MB}`, '--permission', '--allow-fs-read=*'],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  const { promise, resolve, reject } = Promise.withResolvers<DocumentMessage>();
  child.once('message', (message: DocumentMessage) => resolve(message));
  child.once('error', (cause) => reject(new Error('the reader of documents did not start', { cause })));
  child.once('exit', () => reject(new AttachmentError('damaged-text', 'the reader ended without an answer')));
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  using _deadline = clock.after(DEADLINE_MS, () =>
    reject(new AttachmentError('damaged-text', `not read within ${DEADLINE_MS} ms`)),
  );
  try {
    child.send(job, (error) => {
      if (error) child.kill('SIGKILL');
    });
    const message = await promise;
    if (message.type === 'failed') throw new AttachmentError(message.kind, message.message);
    return message.document;
  } finally {
    signal.removeEventListener('abort', onAbort);
    child.kill('SIGKILL');
  }
}
