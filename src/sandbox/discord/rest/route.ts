import type { RequestBody } from './body.ts';
import type { RateLimit } from './rate-limits.ts';

/** A request whose path, token and rate limit have been checked. */
export interface RestCall {
  /** A parameter of the route's path. */
  param(name: string): string;
  readonly query: URLSearchParams;
  body(): Promise<RequestBody>;
}

export interface RestAnswer {
  readonly status: number;
  /** Absent: an empty answer without a content type. */
  readonly json?: unknown;
}

/** An answer without a body. */
export const NO_CONTENT: RestAnswer = { status: 204 };

/** One method and path of Discord's REST API. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Without the version prefix. Parameters called `…Id` must be snowflakes. */
  readonly path: string;
  readonly limit: RateLimit;
  /** Parameters that give a bucket of its own: a channel, a guild, a webhook. */
  readonly major?: readonly string[];
  /** Authorised by the token in the path, and outside the global limit: interactions and their webhooks. */
  readonly tokenInPath?: true;
  handle(call: RestCall): RestAnswer | Promise<RestAnswer>;
}

/** Discord publishes no figures; these are observed ones, and a generous one for the rest. */
export const LIMITS = {
  messages: { requests: 5, windowMs: 5000 },
  webhook: { requests: 5, windowMs: 2000 },
  typing: { requests: 5, windowMs: 5000 },
  other: { requests: 30, windowMs: 10_000 },
  /** Answers to interactions come as often as people act. */
  callback: { requests: 1000, windowMs: 1000 },
} as const satisfies Record<string, RateLimit>;
