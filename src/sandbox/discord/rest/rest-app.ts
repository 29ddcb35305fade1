import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Clock } from '../../../time/clock.ts';
import { sleep } from '../../../time/clock.ts';
import type { RestFault } from '../../control/protocol.ts';
import { isSnowflake } from '../snowflake.ts';
import { readBody } from './body.ts';
import { DiscordError } from './errors.ts';
import { invalidForm } from './form.ts';
import { RateLimiter } from './rate-limits.ts';
import { type RequestLog, withoutTokens } from './request-log.ts';
import type { RestAnswer, RestCall, Route } from './route.ts';

type Env = { Bindings: HttpBindings };

export interface RestAppOptions {
  readonly clock: Clock;
  readonly token: string;
  readonly routes: readonly Route[];
  readonly log: RequestLog;
  /** Ends waits of delayed answers. */
  readonly signal: AbortSignal;
}

/** Discord's REST API under `/api/v10` and `/api`: authorisation, rate limits, faults and the record of requests. */
export function createRestApp(options: RestAppOptions): Hono<Env> {
  const limiter = new RateLimiter(options.clock);
  const app = new Hono<Env>();
  for (const base of ['/api/v10', '/api']) {
    const api = app.basePath(base);
    for (const route of options.routes) {
      api.on(route.method, route.path, (context) =>
        observed(context, base, options, async () => {
          if (!route.tokenInPath) authorise(context, options.token);
          return limited(context, route, limiter);
        }),
      );
    }
  }
  app.all('/api/*', (context) =>
    observed(context, context.req.path.startsWith('/api/v10') ? '/api/v10' : '/api', options, () => {
      authorise(context, options.token);
      throw new DiscordError('notFound');
    }),
  );
  return app;
}

async function observed(
  context: Context<Env>,
  base: string,
  { clock, log, signal }: RestAppOptions,
  carryOut: () => Response | Promise<Response>,
): Promise<Response> {
  const method = context.req.method;
  const path = withoutTokens(context.req.path.slice(base.length));
  const fault = log.takeFault(method, path);
  if (fault?.delayMs !== undefined) {
    await sleep(clock, fault.delayMs, signal).catch(() => undefined);
    // The sandbox has ended meanwhile: nobody waits for the answer.
    if (signal.aborted) return new Response(null, { status: 503 });
  }
  const response = faultResponse(fault, context.env.incoming) ?? (await answered(carryOut));
  log.record(method, path, fault?.status === 0 ? 0 : response.status);
  return response;
}

function faultResponse(fault: RestFault | undefined, incoming: IncomingMessage): Response | undefined {
  if (!fault || (fault.status === 200 && fault.body === undefined)) return undefined;
  if (fault.status === 0) {
    incoming.socket.resetAndDestroy();
    return new Response(null, { status: 500 });
  }
  const json = fault.body?.trimStart().startsWith('{') ?? false;
  const headers = new Headers({ 'content-type': json ? 'application/json' : 'text/html', ...fault.headers });
  const body = fault.status === 204 || fault.status === 304 ? null : (fault.body ?? '');
  return new Response(body, { status: fault.status, headers });
}

async function answered(carryOut: () => Response | Promise<Response>): Promise<Response> {
  try {
    return await carryOut();
  } catch (error) {
    if (error instanceof DiscordError) return Response.json(error.body(), { status: error.status });
    throw error;
  }
}

function authorise(context: Context<Env>, token: string): void {
  if (context.req.header('authorization') !== `Bot ${token}`) throw new DiscordError('unauthorized');
}

async function limited(context: Context<Env>, route: Route, limiter: RateLimiter): Promise<Response> {
  const parameters: Record<string, string> = context.req.param();
  const major = (route.major ?? []).map((name) => parameters[name]).join('/');
  const verdict = limiter.take(`${route.method} ${route.path}`, major, route.limit, !route.tokenInPath);
  if (!verdict.allowed) return Response.json(verdict.body, { status: 429, headers: verdict.headers });
  const response = await answered(async () => toResponse(await route.handle(restCall(context, parameters))));
  for (const [name, value] of Object.entries(verdict.headers)) response.headers.set(name, value);
  return response;
}

function restCall(context: Context<Env>, parameters: Readonly<Record<string, string>>): RestCall {
  for (const [name, value] of Object.entries(parameters)) {
    if (name.endsWith('Id') && !isSnowflake(value)) {
      throw invalidForm({
        path: [snakeCase(name)],
        code: 'NUMBER_TYPE_COERCE',
        message: `Value "${value}" is not snowflake.`,
      });
    }
  }
  return {
    param: (name) => parameters[name] ?? '',
    query: new URL(context.req.url).searchParams,
    body: () => readBody(context.req.raw),
  };
}

/** A 204 has no content type: with one, @discordjs/rest would try to read JSON. */
function toResponse({ status, json }: RestAnswer): Response {
  return json === undefined ? new Response(null, { status }) : Response.json(json, { status });
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
