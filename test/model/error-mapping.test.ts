import { APIError } from 'openai';
import { describe, expect, test } from 'vitest';

import { retryAfterMs, toModelError, type FailureContext } from '../../src/model/error-mapping.ts';
import { ModelError, SignInError } from '../../src/model/errors.ts';
import type { ProviderFacts } from '../../src/model/provider.ts';

const NOW = Date.parse('2027-01-01T12:00:00Z');

const AZURE: ProviderFacts = {
  kind: 'azure',
  host: 'parley.openai.azure.com',
  model: 'my-audio',
  modelVariable: 'AZURE_OPENAI_DEPLOYMENT_NAME',
  auth: 'entra',
};

function context(more: Partial<FailureContext> & { auth?: ProviderFacts['auth'] } = {}): FailureContext {
  const { auth = 'entra', ...rest } = more;
  return {
    provider: { ...AZURE, auth },
    answered: true,
    replyBegan: false,
    requestId: undefined,
    nowEpochMs: NOW,
    ...rest,
  };
}

function response(status: number, body: Record<string, unknown>, headers: Record<string, string> = {}): APIError {
  return APIError.generate(status, body, undefined, new Headers(headers));
}

function mapped(thrown: unknown, where = context()): ModelError {
  const error = toModelError(thrown, where);
  if (error instanceof ModelError) return error;
  throw new Error('no model error', { cause: error });
}

describe('error responses', () => {
  test.each([
    [400, 'content_filter', 'filtered-prompt', false],
    [400, 'audio_not_found', 'audio-not-found', true],
    [400, 'unsupported_format', 'unsupported-audio', false],
    [400, 'audio_too_short', 'unsupported-audio', false],
    [400, 'context_length_exceeded', 'too-long', false],
    [400, 'OperationNotSupported', 'no-deployment', false],
    [400, 'invalid_value', 'refused', false],
    [401, 'PermissionDenied', 'not-permitted', false],
    [401, '401', 'sign-in', false],
    [403, 'Forbidden', 'not-permitted', false],
    [404, 'DeploymentNotFound', 'no-deployment', false],
    [404, '404', 'no-deployment', false],
    [408, 'Timeout', 'server-fault', true],
    [410, 'Gone', 'retired', false],
    [413, null, 'too-large', false],
    [422, null, 'refused', false],
    [429, '429', 'busy', true],
    [429, 'insufficient_quota', 'busy', false],
    [500, 'InternalServerError', 'server-fault', true],
    [502, null, 'server-fault', true],
    [503, null, 'busy', true],
  ])('%i with code %s is %s', (status, code, kind, retry) => {
    const error = mapped(response(status, { error: { code, message: 'whatever it says' } }));
    expect(error).toMatchObject({ kind, status });
    expect(error.shouldRetry()).toBe(retry);
    expect(error.operatorHint).toMatch(/\w{3}.*[.]$/);
    expect(error.operatorHint).not.toContain('whatever it says');
  });

  test('a body in no known form still has its status', () => {
    expect(mapped(response(401, { statusCode: 401, message: 'Unauthorized.' })).kind).toBe('sign-in');
    expect(mapped(APIError.generate(502, undefined, '<html>', new Headers())).kind).toBe('server-fault');
  });

  test('401 means another thing with a key, and without one', () => {
    const refused = response(401, { error: { code: '401', message: '' } });
    const wrong = mapped(refused, context({ auth: 'key' }));
    expect(wrong.kind).toBe('wrong-key');
    expect(wrong.operatorHint).toContain('AZURE_OPENAI_API_KEY');
    expect(mapped(refused, context({ auth: 'none' })).operatorHint).toContain('wants a key');
  });

  test('what an operator has to check is named', () => {
    expect(mapped(response(404, { error: { code: 'DeploymentNotFound' } })).operatorHint).toContain('"my-audio"');
    expect(mapped(response(403, { error: {} })).operatorHint).toContain('Cognitive Services OpenAI User');
    expect(mapped(response(410, { error: {} })).operatorHint).toContain('retired');
  });

  test("the server's id of the request is kept, Azure's gateway id when there is no other", () => {
    expect(mapped(response(500, {}, { 'x-request-id': 'x', 'apim-request-id': 'a' })).requestId).toBe('x');
    expect(mapped(response(500, {}, { 'apim-request-id': 'a' })).requestId).toBe('a');
  });

  test('a code that is a sentence is no code', () => {
    const error = mapped(response(400, { error: { code: 'you said: hello there' } }));
    expect(error.code).toBeUndefined();
    expect(error.operatorHint).not.toContain('hello there');
  });
});

/** An error object in a stream, as the SDK throws it. */
function inStream(code: string | null): APIError {
  return new APIError(undefined, { code, message: '' }, undefined, undefined);
}

/** What `fetch` throws. */
function failed(code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error('connect'), { code }) });
}

describe('errors inside a stream', () => {
  test.each([
    ['content_filter', 'filtered-prompt'],
    ['content_filter_error', 'filter-down'],
    ['rate_limit_exceeded', 'busy'],
    ['429', 'busy'],
    ['server_error', 'server-fault'],
    [null, 'server-fault'],
  ])('%s is %s', (code, kind) => expect(mapped(inStream(code)).kind).toBe(kind));

  test('a filter that acts after the first word has refused the reply', () => {
    expect(mapped(inStream('content_filter'), context({ replyBegan: true })).kind).toBe('filtered-reply');
  });
});

describe('everything else', () => {
  test.each(['ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT', 'CERT_HAS_EXPIRED', 'UND_ERR_SOCKET'])(
    '%s before the answer: unreachable',
    (code) => {
      const error = mapped(failed(code), context({ answered: false }));
      expect(error).toMatchObject({ kind: 'unreachable', code });
      expect(error.operatorHint).toContain('parley.openai.azure.com');
    },
  );

  test('a connection that breaks during the answer: truncated', () => {
    expect(mapped(failed('UND_ERR_SOCKET')).kind).toBe('truncated');
  });

  test('no JSON where some should be: malformed', () => {
    expect(mapped(new SyntaxError('Unexpected token')).kind).toBe('malformed');
  });

  test('a failed sign-in is found below what the SDK wraps around it', () => {
    const signIn = new SignInError({ operatorHint: 'az login' });
    expect(mapped(new Error('Failed to get token', { cause: signIn }))).toBe(signIn);
  });

  test('a fault in our own code stays what it is', () => {
    const bug = new TypeError('undefined is not a function');
    expect(toModelError(bug, context())).toBe(bug);
  });
});

describe('how long to wait', () => {
  test.each([
    [{ 'retry-after-ms': '700', 'retry-after': '9' }, 700],
    [{ 'retry-after': '50' }, 50_000],
    [{ 'retry-after': '86400' }, 86_400_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': 'Fri, 01 Jan 2027 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Fri, 01 Jan 2027 11:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{}, undefined],
  ])('%j is %s ms', (headers, expected) => {
    expect(retryAfterMs(new Headers(headers), NOW)).toBe(expected);
  });
});
