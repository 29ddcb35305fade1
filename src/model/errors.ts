import type { ModelTrouble } from '../language/words.ts';

/** What went wrong, for callers that choose a sentence by it. */
export type ModelErrorKind = ModelTrouble;

export interface ModelErrorDetails {
  /** A plain sentence for the log that tells an operator what to check. Holds no secret and nothing people said. */
  readonly operatorHint: string;
  readonly status?: number | undefined;
  /** The server's own short code for the error, when it is one. */
  readonly code?: string | undefined;
  /** The server's id of the request: what its support asks for. */
  readonly requestId?: string | undefined;
  /** How long the server asks to wait, kept as it is even when it is a day (Azure says so when a request exceeds the quota). */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** Every failure of the network or the model. Which one is told by the class and by `kind`, never by the message. */
export abstract class ModelError extends Error {
  abstract override readonly name: string;
  abstract readonly kind: ModelErrorKind;
  readonly operatorHint: string;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: ModelErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.operatorHint = details.operatorHint;
    this.status = details.status;
    this.code = details.code;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** Whether the same request may succeed when it is made again soon. How soon is `retryAfterMs`, when known. */
  shouldRetry(): boolean {
    return false;
  }
}

/** Rate limit or overload (429, 503). */
export class ModelBusyError extends ModelError {
  override readonly name = 'ModelBusyError';
  override readonly kind = 'busy';

  constructor(details: ModelErrorDetails) {
    super('the model is busy', details);
  }

  /** An account out of money (`insufficient_quota`) also answers 429, but waiting does not help. */
  override shouldRetry(): boolean {
    return this.code !== 'insufficient_quota';
  }
}

/** No connection, or one that ended before the answer began. */
export class ModelUnreachableError extends ModelError {
  override readonly name = 'ModelUnreachableError';
  override readonly kind = 'unreachable';

  constructor(details: ModelErrorDetails) {
    super('the model cannot be reached', details);
  }

  override shouldRetry(): boolean {
    return true;
  }
}

/** Which wait ran out. */
export type DeadlinePhase = 'first-byte' | 'between-chunks' | 'total';

/** The model was silent for too long. Not retried: whoever asked has already waited for the whole of it. */
export class ModelTimeoutError extends ModelError {
  override readonly name = 'ModelTimeoutError';
  override readonly kind = 'timeout';
  readonly phase: DeadlinePhase;

  constructor(phase: DeadlinePhase, details: ModelErrorDetails) {
    super('the model took too long', details);
    this.phase = phase;
  }
}

/** The reply broke off: the connection was cut, or the stream ended without saying that the reply is complete. */
export class TruncatedReplyError extends ModelError {
  override readonly name = 'TruncatedReplyError';
  override readonly kind = 'truncated';

  constructor(details: ModelErrorDetails) {
    super('the reply broke off', details);
  }

  override shouldRetry(): boolean {
    return true;
  }
}

/** Something that is not the API answered, or the model answered with nothing. */
export class MalformedReplyError extends ModelError {
  override readonly name = 'MalformedReplyError';
  override readonly kind = 'malformed';

  constructor(details: ModelErrorDetails) {
    super('the reply is not what the API promises', details);
  }

  override shouldRetry(): boolean {
    return true;
  }
}

/** The provider's content filter refused what was said, or what would have been answered. */
export class ContentFilteredError extends ModelError {
  override readonly name = 'ContentFilteredError';
  override readonly kind: 'filtered-prompt' | 'filtered-reply';

  constructor(filtered: 'prompt' | 'reply', details: ModelErrorDetails) {
    super(`the content filter refused the ${filtered}`, details);
    this.kind = `filtered-${filtered}`;
  }
}

/** The provider's content filter did not run. What the model said is withheld, because nobody looked at it. */
export class ContentFilterDownError extends ModelError {
  override readonly name = 'ContentFilterDownError';
  override readonly kind = 'filter-down';

  constructor(details: ModelErrorDetails) {
    super('the content filter did not run', details);
  }

  override shouldRetry(): boolean {
    return true;
  }
}

/** No access token: nobody is signed in, or the service refuses the token itself. */
export class SignInError extends ModelError {
  override readonly name = 'SignInError';
  override readonly kind = 'sign-in';

  constructor(details: ModelErrorDetails) {
    super('signing in to the model failed', details);
  }
}

/** Signed in, but not allowed to use the model. */
export class NotPermittedError extends ModelError {
  override readonly name = 'NotPermittedError';
  override readonly kind = 'not-permitted';

  constructor(details: ModelErrorDetails) {
    super('the model may not be used by this identity', details);
  }
}

export class WrongKeyError extends ModelError {
  override readonly name = 'WrongKeyError';
  override readonly kind = 'wrong-key';

  constructor(details: ModelErrorDetails) {
    super('the model refuses the API key', details);
  }
}

/** The deployment (Azure) or model does not exist, or cannot hold a conversation. */
export class NoDeploymentError extends ModelError {
  override readonly name = 'NoDeploymentError';
  override readonly kind = 'no-deployment';

  constructor(details: ModelErrorDetails) {
    super('there is no such model', details);
  }
}

export class RetiredModelError extends ModelError {
  override readonly name = 'RetiredModelError';
  override readonly kind = 'retired';

  constructor(details: ModelErrorDetails) {
    super('the model has been retired', details);
  }
}

/** The server has forgotten a spoken reply that the request refers to. The same conversation as text works at once. */
export class AudioNotFoundError extends ModelError {
  override readonly name = 'AudioNotFoundError';
  override readonly kind = 'audio-not-found';

  constructor(details: ModelErrorDetails) {
    super('the server no longer has an earlier reply', { ...details, retryAfterMs: 0 });
  }

  override shouldRetry(): boolean {
    return true;
  }
}

/** More bytes than the API takes in one request. */
export class RequestTooLargeError extends ModelError {
  override readonly name = 'RequestTooLargeError';
  override readonly kind = 'too-large';

  constructor(details: ModelErrorDetails) {
    super('the request is too large', details);
  }
}

/** More tokens than the model takes. */
export class ConversationTooLongError extends ModelError {
  override readonly name = 'ConversationTooLongError';
  override readonly kind = 'too-long';

  constructor(details: ModelErrorDetails) {
    super('the conversation is too long for the model', details);
  }
}

/** The server cannot decode the audio, or it is too short to be any. */
export class UnsupportedAudioError extends ModelError {
  override readonly name = 'UnsupportedAudioError';
  override readonly kind = 'unsupported-audio';

  constructor(details: ModelErrorDetails) {
    super('the model cannot use this audio', details);
  }
}

/** The server finds the request wrong in a way that has no class of its own. */
export class RequestRefusedError extends ModelError {
  override readonly name = 'RequestRefusedError';
  override readonly kind = 'refused';

  constructor(details: ModelErrorDetails) {
    super('the model refuses the request', details);
  }
}

/** The server failed (408, 409, 5xx, or an error inside the stream). */
export class ServerFaultError extends ModelError {
  override readonly name = 'ServerFaultError';
  override readonly kind = 'server-fault';

  constructor(details: ModelErrorDetails) {
    super('the model server failed', details);
  }

  override shouldRetry(): boolean {
    return true;
  }
}
