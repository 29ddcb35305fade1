import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import type { ReadinessReport } from './readiness.ts';

/** The health server cannot listen on its port. */
export class HealthPortError extends Error {
  override readonly name = 'HealthPortError';
}

export interface HealthOptions {
  /** 0 for any free port. */
  readonly port: number;
  /**
   * Address to listen on. Default: every one, because a container's probes come from outside it. There is no server at all
   * unless a port is set, and what it says is nobody's secret.
   */
  readonly host?: string;
  readonly readiness: () => ReadinessReport;
}

/** Answers an orchestrator's probes until it is disposed. */
export interface HealthServer extends AsyncDisposable {
  readonly port: number;
}

/** A probe is one short request: nobody needs more time or more connections than this. */
const REQUEST_MS = 5_000;
const MAX_CONNECTIONS = 64;

/**
 * Starts the health server: `GET /healthz` answers 200 as long as the event loop turns, `GET /readyz` answers 200 or 503
 * with the state of each part as JSON.
 * @throws {HealthPortError} when the port is taken or not allowed.
 */
export async function startHealthServer({ port, host, readiness }: HealthOptions): Promise<HealthServer> {
  const server = createServer({ requestTimeout: REQUEST_MS, keepAliveTimeout: REQUEST_MS }, (request, response) => {
    answer(request, response, readiness);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new HealthPortError(`HEALTH_PORT ${port} cannot be used: it is taken, or not allowed for this user`, {
      cause,
    });
  }
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, readiness: () => ReadinessReport): void {
  const path = request.url?.split('?', 1)[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, 405, { error: 'only GET and HEAD' });
  } else if (path === '/healthz') {
    send(response, 200, { alive: true });
  } else if (path === '/readyz') {
    const report = readiness();
    send(response, report.ready ? 200 : 503, report);
  } else {
    send(response, 404, { error: 'only /healthz and /readyz' });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
