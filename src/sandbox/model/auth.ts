import type { IncomingHttpHeaders } from 'node:http';

import { ApiError, azureError, invalidRequest } from './api-error.ts';
import type { ApiStyle } from './api-error.ts';
import type { TokenIssuer } from './tokens.ts';

export interface Credentials {
  readonly kind: 'key' | 'bearer' | 'none';
  /** Why they are refused. */
  readonly refusal: ApiError | undefined;
}

/**
 * Checks who is asking. Azure takes a key in `api-key` or an Entra ID token as bearer, its v1 path a key as bearer too;
 * OpenAI a key as bearer. `kind` tells what was presented: the bearer of a v1 path counts as key unless it is a token.
 */
export function checkCredentials(
  headers: IncomingHttpHeaders,
  style: ApiStyle,
  accepted: { readonly apiKey: string; readonly tokens: TokenIssuer },
): Credentials {
  const keyHeader = headers['api-key'];
  if (style !== 'openai' && typeof keyHeader === 'string') {
    return { kind: 'key', refusal: keyHeader === accepted.apiKey ? undefined : wrongKey() };
  }

  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer === undefined) return { kind: 'none', refusal: style === 'openai' ? noKey() : badToken() };

  const looksLikeToken = bearer.split('.').length === 3;
  if (style === 'openai') {
    const refusal = bearer === accepted.apiKey ? undefined : incorrectKey(bearer);
    return { kind: looksLikeToken ? 'bearer' : 'key', refusal };
  }
  if (style === 'azure-v1' && !looksLikeToken) {
    return { kind: 'key', refusal: bearer === accepted.apiKey ? undefined : wrongKey() };
  }
  return { kind: 'bearer', refusal: accepted.tokens.accepts(bearer) ? undefined : badToken() };
}

function wrongKey(): ApiError {
  return azureError(
    401,
    '401',
    'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
  );
}

/** Azure's gateway answers this one without an `error` object. */
export function badToken(): ApiError {
  return new ApiError(401, {
    statusCode: 401,
    message:
      'Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.',
  });
}

function noKey(): ApiError {
  return invalidRequest(
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    null,
    null,
    401,
  );
}

function incorrectKey(key: string): ApiError {
  const masked = key.length < 12 ? '***' : `${key.slice(0, 4)}***${key.slice(-4)}`;
  return invalidRequest(
    `Incorrect API key provided: ${masked}. You can find your API key at https://platform.openai.com/account/api-keys.`,
    null,
    'invalid_api_key',
    401,
  );
}
