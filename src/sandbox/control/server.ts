import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { EventHub } from './event-hub.ts';
import { METHOD_SCHEMAS } from './method-schemas.ts';
import type { ControlMethods, SandboxEvent } from './protocol.ts';

/** Unsent bytes at which a watcher that does not read is cut off, so that it cannot fill the memory. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

const KEEP_ALIVE_MS = 10 * 60 * 1000;

export interface ControlServer extends AsyncDisposable {
  /** Origin, `http://127.0.0.1:PORT`. */
  readonly url: string;
}

/** What hangs on the control server beside the API. */
export interface ControlExtension {
  readonly routes: Hono;
  /** Takes a WebSocket that is for it. False when it is not. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

/**
 * Serves the control API on loopback. It can do anything to the sandbox without a password, so it answers nobody whom
 * another web page could send: the Host has to be a loopback name, which a rebound DNS name is not, and any Origin has to
 * be this server's own.
 */
export async function startControlServer(
  methods: ControlMethods,
  events: EventHub,
  extension?: ControlExtension,
): Promise<ControlServer> {
  const app = new Hono();
  app.use(async (context, next) => {
    const refusal = strangerRefusal(context.req.header());
    if (refusal !== undefined) return context.json({ error: refusal }, 403);
    return next();
  });
  app.post('/:method', async (context) => {
    try {
      const result = await call(methods, context.req.param('method'), await context.req.text());
      return context.json(result ?? null);
    } catch (error) {
      return context.json({ error: sentence(error) }, 400);
    }
  });
  if (extension) app.route('/', extension.routes);
  app.notFound((context) => context.json({ error: 'Methods are called with POST /method.' }, 404));

  // The adapter would otherwise replace `Request` and `Response` for the whole process.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  const watchers = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const welcome = strangerRefusal(request.headers) === undefined;
    if (welcome && extension?.upgrade(request, socket, head)) return;
    if (!welcome || request.url?.split('?')[0] !== '/events') {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    watchers.handleUpgrade(request, socket, head, (watcher) => watcher.on('error', () => watcher.terminate()));
  });
  const subscription = events.subscribe((event) => broadcast(watchers, event));
  // Longer than any client keeps an idle connection: a request never meets a socket that is just being closed.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]();
      for (const watcher of watchers.clients) watcher.terminate();
      watchers.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Another cause than a bad request: the sentence says what was wrong with it. */
class BadRequestError extends Error {
  override readonly name = 'BadRequestError';
}

function isMethod(name: string): name is keyof ControlMethods {
  return Object.hasOwn(METHOD_SCHEMAS, name);
}

async function call(methods: ControlMethods, name: string, body: string): Promise<unknown> {
  if (!isMethod(name)) throw new BadRequestError(`There is no method ${name}.`);
  const parsed = METHOD_SCHEMAS[name].safeParse(parseJson(body));
  if (!parsed.success) throw new BadRequestError(z.prettifyError(parsed.error));
  // The schema of this very method has read the arguments; the compiler cannot follow that through the name.
  return Reflect.apply(methods[name], methods, [parsed.data]);
}

function parseJson(body: string): unknown {
  try {
    return body === '' ? {} : JSON.parse(body);
  } catch (error) {
    throw new BadRequestError('The body is not JSON.', { cause: error });
  }
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function strangerRefusal(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined {
  const { host, origin } = headers;
  const own = `http://${typeof host === 'string' ? host : ''}`;
  if (!isLoopback(own)) return 'The Host header is not a loopback address.';
  if (origin !== undefined && origin !== own) return 'The Origin header is not this server.';
  const { 'sec-fetch-site': site = 'none', 'sec-fetch-mode': mode } = headers;
  // Whoever follows a link here only looks; everything else has to come from this server's own page.
  if (site !== 'none' && site !== 'same-origin' && mode !== 'navigate') return 'The request comes from another site.';
  return undefined;
}

function isLoopback(url: string): boolean {
  return LOOPBACK_HOSTS.has(URL.parse(url)?.hostname ?? '');
}

function broadcast(watchers: { readonly clients: ReadonlySet<WebSocket> }, event: SandboxEvent): void {
  if (watchers.clients.size === 0) return;
  const frame = JSON.stringify(event);
  for (const watcher of watchers.clients) {
    if (watcher.readyState !== watcher.OPEN) continue;
    if (watcher.bufferedAmount > MAX_BUFFERED_BYTES) watcher.terminate();
    else watcher.send(frame);
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('The server has no port.');
  return address.port;
}
