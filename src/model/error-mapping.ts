import { APIError, OpenAIError } from 'openai';

import {
  AudioNotFoundError,
  ContentFilterDownError,
  ContentFilteredError,
  ConversationTooLongError,
  MalformedReplyError,
  ModelBusyError,
  ModelError,
  ModelUnreachableError,
  NoDeploymentError,
  NotPermittedError,
  RequestRefusedError,
  RequestTooLargeError,
  RetiredModelError,
  ServerFaultError,
  SignInError,
  TruncatedReplyError,
  UnsupportedAudioError,
  WrongKeyError,
  type ModelErrorDetails,
} from './errors.ts';
import { operatorHint, type HintTopic } from './operator-hint.ts';
import type { ProviderFacts } from './provider.ts';

/** Where in a request something failed. */
export interface FailureContext {
  readonly provider: ProviderFacts;
  /** The response's headers had arrived. */
  readonly answered: boolean;
  /** Something of the reply had been passed on. */
  readonly replyBegan: boolean;
  readonly requestId: string | undefined;
  /** Milliseconds since the epoch, for `retry-after` dates. */
  readonly nowEpochMs: number;
}

/**
 * The class for anything that the SDK, undici or our own reading of a reply throws. What none of them throws (a fault in
 * our own code) comes back as it is. Causes are told by status and by the codes of the API, undici and Node, never by
 * message.
 */
export function toModelError(thrown: unknown, context: FailureContext): unknown {
  for (const cause of causesOf(thrown)) if (cause instanceof ModelError) return cause;
  const details = (topic: HintTopic, more: Partial<ModelErrorDetails> = {}): ModelErrorDetails => ({
    operatorHint: operatorHint(topic, context.provider, more.code),
    requestId: context.requestId,
    cause: thrown,
    ...more,
  });
  if (thrown instanceof APIError && thrown.status !== undefined) return statusError(thrown, context, details);
  if (thrown instanceof APIError && thrown.error !== undefined) return streamError(thrown, context, details);
  const systemCode = systemCodeOf(thrown);
  if (thrown instanceof SyntaxError) return new MalformedReplyError(details('malformed'));
  if (systemCode !== undefined || thrown instanceof APIError) {
    if (context.answered) return new TruncatedReplyError(details('truncated', { code: systemCode }));
    return new ModelUnreachableError(details('unreachable', { code: systemCode }));
  }
  if (thrown instanceof OpenAIError) return new MalformedReplyError(details('malformed'));
  return thrown;
}

type Details = (topic: HintTopic, more?: Partial<ModelErrorDetails>) => ModelErrorDetails;

/** An HTTP error response. */
function statusError(error: APIError, context: FailureContext, details: Details): ModelError {
  const status = error.status ?? 0;
  const code = shortCode(error.code);
  const more = {
    status,
    code,
    requestId: error.headers === undefined ? context.requestId : requestIdOf(error.headers),
    retryAfterMs: error.headers === undefined ? undefined : retryAfterMs(error.headers, context.nowEpochMs),
  };
  // Some servers answer 410 with the code for a model that does not exist.
  if (status === 410) return new RetiredModelError(details('retired', more));
  const coded = codedError(code, more, context, details);
  if (coded !== undefined) return coded;
  const { auth } = context.provider;
  switch (status) {
    case 401:
      if (auth !== 'entra') return new WrongKeyError(details(auth === 'key' ? 'wrong-key' : 'no-key', more));
      // Azure answers 401 to a bad token and, with this code, to an identity without the role.
      if (code === 'PermissionDenied') return new NotPermittedError(details('not-permitted', more));
      return new SignInError(details('token-refused', more));
    case 403:
      return new NotPermittedError(details(auth === 'entra' ? 'not-permitted' : 'forbidden', more));
    case 404:
      return new NoDeploymentError(details('no-deployment', more));
    case 413:
      return new RequestTooLargeError(details('too-large', more));
    case 429:
    case 503:
      return new ModelBusyError(details('busy', more));
    case 408:
    case 409:
      return new ServerFaultError(details('server-fault', more));
    default:
      return status >= 500
        ? new ServerFaultError(details('server-fault', more))
        : new RequestRefusedError(details('refused', more));
  }
}

/** An `error` object in the middle of a stream or in a response with status 200. */
function streamError(error: APIError, context: FailureContext, details: Details): ModelError {
  const code = shortCode(error.code);
  return (
    codedError(code, { code }, context, details) ??
    (code === '429'
      ? new ModelBusyError(details('busy', { code }))
      : new ServerFaultError(details('server-fault', { code })))
  );
}

/** Codes that mean the same wherever they appear: in an error response or inside a stream. */
function codedError(
  code: string | undefined,
  more: Partial<ModelErrorDetails>,
  context: FailureContext,
  details: Details,
): ModelError | undefined {
  if (code === undefined) return undefined;
  switch (code) {
    case 'content_filter':
      return new ContentFilteredError(context.replyBegan ? 'reply' : 'prompt', details('filtered', more));
    case 'content_filter_error':
      return new ContentFilterDownError(details('filter-down', more));
    case 'audio_not_found':
      return new AudioNotFoundError(details('audio-not-found', more));
    case 'unsupported_format':
    case 'audio_too_short':
      return new UnsupportedAudioError(details('unsupported-audio', more));
    case 'context_length_exceeded':
      return new ConversationTooLongError(details('too-long', more));
    case 'DeploymentNotFound':
    case 'model_not_found':
    case 'OperationNotSupported':
      return new NoDeploymentError(details('no-deployment', more));
    case 'ModelDeprecated':
    case 'model_deprecated':
      return new RetiredModelError(details('retired', more));
    case 'insufficient_quota':
      return new ModelBusyError(details('no-quota', more));
    case 'rate_limit_exceeded':
      return new ModelBusyError(details('busy', more));
    default:
      return undefined;
  }
}

/** `retry-after-ms`, or else `retry-after` in seconds or as a date. Long waits are kept: whoever retries decides. */
export function retryAfterMs(headers: Headers, nowEpochMs: number): number | undefined {
  const ms = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  if (ms >= 0) return ms;
  const value = headers.get('retry-after') ?? '';
  const seconds = Number(value);
  if (value !== '' && seconds >= 0) return seconds * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowEpochMs);
}

/** The server's id of a request. Azure often sends only its gateway's. */
export function requestIdOf(headers: Headers): string | undefined {
  return headers.get('x-request-id') ?? headers.get('apim-request-id') ?? undefined;
}

/** The server's code if it is one, and not a sentence. */
function shortCode(code: unknown): string | undefined {
  return typeof code === 'string' && /^[\w.-]{1,64}$/.test(code) ? code : undefined;
}

function* causesOf(thrown: unknown): Generator {
  // Four is deeper than SDK, undici and Node together go.
  for (let error = thrown, depth = 0; error instanceof Error && depth < 4; error = error.cause, depth += 1) yield error;
}

/** The code of undici, Node or OpenSSL at the bottom of an error, such as `ECONNREFUSED` or `UND_ERR_SOCKET`. */
function systemCodeOf(thrown: unknown): string | undefined {
  for (const error of causesOf(thrown)) {
    if (error instanceof Error && !(error instanceof OpenAIError) && 'code' in error) return shortCode(error.code);
  }
  return undefined;
}
