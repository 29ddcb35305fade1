import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { ApiError, ApiStyle } from './api-error.ts';
import type { Endpoint, RequestEntry, RequestLog } from './records.ts';

/** Room for two of the largest recordings; the rest of a larger body is read and thrown away. */
const MAX_BODY_BYTES = 48 * 1024 * 1024;

/** One request with its answer, on the raw connection: so that it can be paced, stalled and cut. */
export class Exchange {
  readonly style: ApiStyle;
  readonly entry: RequestEntry;
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  /** Aborts when the client has gone, or the server has cut the connection. */
  readonly signal: AbortSignal;
  readonly #outgoing: ServerResponse;

  private constructor(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    body: Buffer,
    entry: RequestEntry,
    style: ApiStyle,
  ) {
    this.incoming = incoming;
    this.body = body;
    this.entry = entry;
    this.style = style;
    this.#outgoing = outgoing;
    const controller = new AbortController();
    this.signal = controller.signal;
    outgoing.once('close', () => {
      entry.ended(!outgoing.writableFinished);
      controller.abort();
    });
    // A client that resets the connection makes writes fail: `close` follows and tells it.
    outgoing.on('error', () => undefined);
  }

  /** Reads the request to its end and begins its record. `undefined` when the client goes away before that. */
  static async receive(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    log: RequestLog,
    endpoint: Endpoint,
    style: ApiStyle,
  ): Promise<Exchange | undefined> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const piece of incoming as AsyncIterable<Buffer>) {
        bytes += piece.length;
        if (bytes <= MAX_BODY_BYTES) pieces.push(piece);
      }
    } catch {
      return undefined;
    }
    const entry = log.begin(endpoint, incoming.url ?? '', bytes);
    return new Exchange(incoming, outgoing, Buffer.concat(pieces), entry, style);
  }

  /** The body did not fit and is not there in full. */
  get tooLarge(): boolean {
    return this.entry.bodyBytes > MAX_BODY_BYTES;
  }

  /** Sends the head at once. */
  head(status: number, headers: Record<string, string>): void {
    if (this.#outgoing.destroyed) return;
    this.#outgoing.writeHead(status, headers);
    this.#outgoing.flushHeaders();
    this.entry.headSent(status);
  }

  /** Writes a piece of the answer; resolves when there is room for the next, or the client has gone. */
  async write(piece: string | Uint8Array): Promise<void> {
    if (this.#outgoing.destroyed || this.#outgoing.write(piece)) return;
    await once(this.#outgoing, 'drain', { signal: this.signal }).catch(() => undefined);
  }

  end(): void {
    this.#outgoing.end();
  }

  /** A whole answer of a known length. */
  send(status: number, headers: Record<string, string>, body: string | Uint8Array): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.head(status, { ...headers, 'content-length': String(bytes.length) });
    if (!this.#outgoing.destroyed) this.#outgoing.end(bytes);
  }

  json(status: number, body: unknown, headers: Record<string, string> = {}): void {
    this.send(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(body));
  }

  fail(error: ApiError, headers: Record<string, string> = {}): void {
    this.json(error.status, error.body, { ...headers, ...error.headers });
  }

  /** Destroys the connection. The client did not leave: it was left. */
  cut(): void {
    this.entry.ended(false);
    this.#outgoing.socket?.destroy();
  }

  /** Leaves the connection open and sends nothing more. Resolves when the client has gone. */
  async stall(): Promise<void> {
    if (this.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
  }
}
