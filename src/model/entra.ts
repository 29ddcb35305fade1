import type { AccessToken, TokenCredential } from '@azure/identity';

import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { SignInError } from './errors.ts';

/** Longest wait for one token. Managed identity on a machine without one takes longer than that to give up. */
const SIGN_IN_MS = 10_000;

/** A token is renewed this long before it expires. */
const RENEW_BEFORE_MS = 5 * 60_000;

/** Pause after a renewal that failed, while the old token still works. */
const RENEW_PAUSE_MS = 30_000;

export interface EntraOptions {
  /** Token scope, `https://cognitiveservices.azure.com/.default` for the public cloud. */
  readonly scope: string;
  /** How to sign in; by default every way that `DefaultAzureCredential` knows. */
  readonly credential?: TokenCredential | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds since the epoch, for the tokens' expiry dates. */
  readonly wallClockMs?: () => number;
}

/**
 * Access tokens of Microsoft Entra ID. One sign-in at a time, whoever asks; a token is used up to its expiry and renewed
 * in the background before it. `@azure/identity` is loaded at the first use: it takes about 300 ms, which a bot with a
 * key need not spend.
 */
export class EntraTokens {
  readonly #options: EntraOptions;
  readonly #wallClockMs: () => number;
  #credential: TokenCredential | undefined;
  #token: AccessToken | undefined;
  #signingIn: Promise<AccessToken> | undefined;
  #renewAgainAtMs = 0;

  constructor(options: EntraOptions) {
    this.#options = options;
    this.#credential = options.credential;
    this.#wallClockMs = options.wallClockMs ?? Date.now;
  }

  /**
   * A token that is valid now. Settles within 10 s.
   * @throws {SignInError}
   */
  async token(): Promise<string> {
    const nowMs = this.#wallClockMs();
    const held = this.#token;
    if (held === undefined || held.expiresOnTimestamp <= nowMs) return (await this.#signIn()).token;
    if (held.expiresOnTimestamp - RENEW_BEFORE_MS <= nowMs) this.#renew(nowMs);
    return held.token;
  }

  #renew(nowMs: number): void {
    if (this.#signingIn !== undefined || nowMs < this.#renewAgainAtMs) return;
    this.#signIn().catch((error: SignInError) => {
      this.#renewAgainAtMs = this.#wallClockMs() + RENEW_PAUSE_MS;
      this.#options.log.warn(
        { kind: error.kind, operatorHint: error.operatorHint },
        'renewing the access token failed; the old one is used until it expires',
      );
    });
  }

  #signIn(): Promise<AccessToken> {
    this.#signingIn ??= this.#requestToken().finally(() => {
      this.#signingIn = undefined;
    });
    return this.#signingIn;
  }

  async #requestToken(): Promise<AccessToken> {
    const { scope, clock } = this.#options;
    const startedMs = clock.nowMs();
    const controller = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<AccessToken | null>();
    using _ = clock.after(SIGN_IN_MS, () => {
      controller.abort();
      reject(new Error(`no token within ${SIGN_IN_MS} ms`));
    });
    this.#getToken(scope, controller.signal).then(resolve, reject);
    let token: AccessToken | null;
    try {
      token = await promise;
    } catch (cause) {
      throw new SignInError({ operatorHint: signInHint(scope), cause });
    }
    if (token === null) throw new SignInError({ operatorHint: signInHint(scope) });
    this.#token = token;
    this.#options.log.info(
      {
        durationMs: Math.round(clock.nowMs() - startedMs),
        expiresAt: new Date(token.expiresOnTimestamp).toISOString(),
      },
      'signed in to Microsoft Entra ID',
    );
    return token;
  }

  async #getToken(scope: string, abortSignal: AbortSignal): Promise<AccessToken | null> {
    if (this.#credential === undefined) {
      const { DefaultAzureCredential } = await import('@azure/identity');
      this.#credential = new DefaultAzureCredential();
    }
    return await this.#credential.getToken(scope, { abortSignal });
  }
}

function signInHint(scope: string): string {
  return (
    `No Microsoft Entra token for ${scope}: on Azure, give this app a managed identity; elsewhere, run "az login" or set ` +
    'AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET. The identity needs the role "Cognitive Services OpenAI ' +
    'User" on the Azure OpenAI resource. AZURE_TOKEN_CREDENTIALS chooses one way to sign in when the wrong one is tried.'
  );
}
