import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** A small HTTP server for what the sandbox's model does not do. */
export interface HttpPeer extends AsyncDisposable {
  readonly url: string;
  /** TCP connections opened so far. */
  readonly connections: number;
  readonly requests: readonly RecordedRequest[];
}

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export async function startHttpPeer(
  answer: (request: RecordedRequest, response: ServerResponse) => void | Promise<void>,
): Promise<HttpPeer> {
  const requests: RecordedRequest[] = [];
  let connections = 0;
  const server = createServer((incoming, response) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const request = { method, path: url, headers, body: Buffer.concat(pieces).toString() };
      requests.push(request);
      void answer(request, response);
    });
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    get connections() {
      return connections;
    },
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Begins a stream of server-sent events. */
export function startEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req-1' });
}

export function sendEvent(response: ServerResponse, event: unknown): boolean {
  return response.write(`data: ${JSON.stringify(event)}\n\n`);
}

/** A chunk with these fields in its delta. */
export function chunk(delta: Record<string, unknown>, finishReason: string | null = null): unknown {
  return { object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finishReason }] };
}

export function endEvents(response: ServerResponse): void {
  response.end('data: [DONE]\n\n');
}
