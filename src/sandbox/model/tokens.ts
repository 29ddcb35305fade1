import { randomBytes } from 'node:crypto';

import type { Clock } from '../../time/clock.ts';

/** Tokens that are remembered; the oldest is forgotten first. */
const MAX_TOKENS = 1_000;

/**
 * What the API accepts: `https://cognitiveservices.azure.com` is the audience of Azure's older documents and of its
 * specification, `https://ai.azure.com` that of the newer ones.
 */
const AUDIENCES: readonly string[] = ['https://cognitiveservices.azure.com', 'https://ai.azure.com'];

/** Issues and checks the sandbox's Entra ID tokens. */
export class TokenIssuer {
  readonly lifeMs: number;
  readonly #clock: Clock;
  readonly #issued = new Map<string, { audience: string; expiresAtMs: number }>();

  constructor(clock: Clock, lifeMs: number) {
    this.#clock = clock;
    this.lifeMs = lifeMs;
  }

  /** A token for whatever audience is asked for, as the real endpoint does. Looks like a JWT; nobody checks its signature. */
  issue(audience: string): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      aud: audience,
      iat: now,
      nbf: now,
      exp: now + Math.ceil(this.lifeMs / 1000),
      sub: 'parley-sandbox',
    };
    const token = `${part({ typ: 'JWT', alg: 'RS256' })}.${part(claims)}.${randomBytes(32).toString('base64url')}`;
    this.#issued.set(token, { audience, expiresAtMs: this.#clock.nowMs() + this.lifeMs });
    const [oldest] = this.#issued.keys();
    if (this.#issued.size > MAX_TOKENS && oldest !== undefined) this.#issued.delete(oldest);
    return token;
  }

  /** Whether a token was issued here, for the API, and has not expired. */
  accepts(token: string): boolean {
    const issued = this.#issued.get(token);
    if (issued === undefined || issued.expiresAtMs <= this.#clock.nowMs()) return false;
    return AUDIENCES.includes(issued.audience.replace(/\/+$/, ''));
  }
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
