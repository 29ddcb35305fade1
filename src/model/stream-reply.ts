import { APIError } from 'openai';

import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import type { Deadlines, ModelTime } from './deadlines.ts';
import { MalformedReplyError } from './errors.ts';
import { requestIdOf, toModelError } from './error-mapping.ts';
import { isEventStream } from './keep-alive.ts';
import type { ReplyEvent, ReplyOptions } from './model.ts';
import { operatorHint } from './operator-hint.ts';
import type { Provider } from './provider.ts';
import { ReplyReader } from './reply-reader.ts';
import { RequestLog } from './request-log.ts';
import type { ModelRequest } from './request.ts';

/** What every request to the model is made with. */
export interface RequestParts {
  readonly provider: Provider;
  readonly clock: Clock;
  readonly log: Log;
  readonly deadlines: Deadlines;
  /** Milliseconds since the epoch, for expiry dates. */
  readonly wallClockMs: () => number;
}

/**
 * Makes one request and yields its reply as it arrives, `done` last. The connection is closed at once when the signal
 * aborts or a deadline passes, also while the consumer is busy elsewhere, and when the consumer stops early. Nothing is
 * read ahead: a slow consumer slows the server down.
 *
 * @throws {ModelError}
 * @throws the signal's reason once it has aborted.
 */
export async function* streamReply(
  parts: RequestParts,
  { params, audioBytes, exchange }: ModelRequest,
  output: ReplyOptions['output'],
  time: ModelTime,
  signal: AbortSignal,
): AsyncGenerator<ReplyEvent, void, undefined> {
  signal.throwIfAborted();
  const { provider, deadlines } = parts;
  const record = new RequestLog(parts.clock, parts.log);
  const reader = new ReplyReader(output, provider.facts);
  const connection = new AbortController();
  const closeNow = () => connection.abort(signal.reason);
  signal.addEventListener('abort', closeNow, { once: true });

  let outcome: 'answered' | 'aborted' | 'abandoned' | 'failed' = 'abandoned';
  let failure: unknown;
  let answered = false;
  let requestId: string | undefined;
  let replyBegan = false;
  let finish: string | undefined;
  let keepConnection = false;

  async function open() {
    const call = provider.client.chat.completions.create(params, { signal: connection.signal });
    const response = await call.asResponse();
    record.mark('headers');
    answered = true;
    requestId = requestIdOf(response.headers);
    if (!isEventStream(response)) throw await notAStream(response, provider);
    const chunks = (await call)[Symbol.asyncIterator]();
    return { chunks, first: await chunks.next() };
  }

  try {
    // Asking for credentials has its own deadline, so that a failed sign-in is not taken for a silent model.
    await time.wait(provider.signIn(), 'first-byte', deadlines.totalMs, signal);
    record.mark('signedIn');
    const uploadMs = (deadlines.uploadMsPerMegabyte * audioBytes * 4) / 3 / 1_000_000;
    const { chunks, first } = await time.wait(open(), 'first-byte', deadlines.firstByteMs + uploadMs, signal);
    record.mark('firstEvent');
    keepConnection = true;
    for (let chunk = first; !chunk.done;) {
      for (const event of reader.read(chunk.value)) {
        signal.throwIfAborted();
        if (event.type === 'audio') record.mark('firstAudio');
        replyBegan = true;
        yield event;
      }
      const limitMs = reader.complete ? deadlines.trailerMs : deadlines.betweenChunksMs;
      try {
        chunk = await time.wait(chunks.next(), 'between-chunks', limitMs, signal);
      } catch (error) {
        if (!reader.complete || signal.aborted) throw error;
        // The reply is whole; what is missing is the token count at most.
        keepConnection = false;
        break;
      }
    }
    for (const event of reader.end()) {
      signal.throwIfAborted();
      if (event.type === 'done') {
        finish = event.finish;
        outcome = 'answered';
      }
      yield event;
    }
  } catch (error) {
    if (signal.aborted) {
      outcome = 'aborted';
      throw signal.reason;
    }
    outcome = 'failed';
    const nowEpochMs = parts.wallClockMs();
    failure = toModelError(error, { provider: provider.facts, answered, replyBegan, requestId, nowEpochMs });
    throw failure;
  } finally {
    signal.removeEventListener('abort', closeNow);
    if (!keepConnection || outcome !== 'answered') connection.abort();
    const fields = {
      requestId,
      exchange,
      finish,
      audioInBytes: audioBytes,
      audioOutBytes: reader.audioBytes,
      audioId: reader.audioId,
      modelMs: Math.round(time.spentMs),
      ...reader.usage,
    };
    if (outcome === 'failed') record.failed(failure, fields);
    else record.ended(outcome, fields);
  }
}

/** A response with status 200 that is not a stream: an error object, a proxy's page, a server that cannot stream. */
async function notAStream(response: Response, provider: Provider): Promise<Error> {
  const text = await response.text();
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'object') {
      return new APIError(undefined, body.error ?? undefined, undefined, response.headers);
    }
  } catch {
    // Not JSON either.
  }
  return new MalformedReplyError({ operatorHint: operatorHint('malformed', provider.facts) });
}
