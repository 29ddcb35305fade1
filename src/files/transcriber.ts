import { UserError } from '../language/user-error.ts';
import { ModelError } from '../model/errors.ts';
import type { Model, Speech } from '../model/model.ts';
import type { Log } from '../telemetry/log.ts';
import { sleep, type Clock } from '../time/clock.ts';
import { AttachmentError } from './attachment-error.ts';
import type { Attached } from './attached-speech.ts';
import type { SoundPiece } from './decode-job.ts';
import { decodeFile } from './decoding.ts';
import { saveAttachment, type AttachmentHost } from './fetch.ts';
import { inOrder } from './in-order.ts';
import { probeFile } from './probe-file.ts';
import { Slots } from './slots.ts';
import { TemporaryFile } from './temporary-file.ts';
import type { TranscriptPart } from './transcript.ts';

/** Discord's largest upload on a server without boosts is 10 MB, with all of them 100 MB. */
const MAX_FILE_BYTES = 100 * 1024 * 1024;
/** A quarter of a working day. Sound after this is left out, and the answer says so. */
const MAX_DURATION_MS = 4 * 3_600_000;

const PIECES_AT_ONCE = 4;
const ATTEMPTS = 3;
const RETRY_AFTER_MS = 2_000;

const FILES_AT_ONCE = 2;
const MAX_WAITING = 8;

export interface TranscriberParts {
  readonly model: Pick<Model, 'transcribe'>;
  readonly hosts: readonly AttachmentHost[];
  /** The program that decodes what we cannot: its name or path. */
  readonly ffmpeg: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TranscriptionOptions {
  /** ISO 639-1 code of the spoken language, when known. */
  readonly language: string | undefined;
  /** `text`: pieces of up to a minute, for a text. `cues`: what is said between two pauses, for subtitles. */
  readonly cutting: 'text' | 'cues';
}

export type TranscriptionEvent =
  /** `durationMs` is what the file claims, if it does. */
  | { readonly type: 'begun'; readonly durationMs: number | undefined }
  | { readonly type: 'part'; readonly part: TranscriptPart }
  | { readonly type: 'ended'; readonly durationMs: number; readonly cut: boolean };

/** Writes down attached files of any length. */
export class Transcriber {
  readonly #parts: TranscriberParts;
  readonly #slots = new Slots(FILES_AT_ONCE, MAX_WAITING);

  constructor(parts: TranscriberParts) {
    this.#parts = parts;
  }

  /**
   * The parts of a file in order, as they are ready: several are asked for at a time, and each again by itself when it
   * fails. Memory does not grow with the file.
   * @throws {UserError} also in the middle: what was yielded is right. The signal's reason when it aborts.
   */
  async *transcribe(
    { url, name }: Attached,
    options: TranscriptionOptions,
    signal: AbortSignal,
  ): AsyncGenerator<TranscriptionEvent, void, undefined> {
    using slot = await this.#slots.take(signal);
    if (!slot) throw new UserError({ type: 'plain', id: 'busy' });
    try {
      yield* this.#file(url, options, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof AttachmentError) {
        throw new UserError({ type: 'file', trouble: error.kind, fileName: name }, { cause: error });
      }
      if (error instanceof ModelError) throw new UserError({ type: 'model', trouble: error.kind }, { cause: error });
      throw error;
    }
  }

  async *#file(
    url: string,
    { language, cutting }: TranscriptionOptions,
    signal: AbortSignal,
  ): AsyncGenerator<TranscriptionEvent, void, undefined> {
    const { hosts, clock, ffmpeg } = this.#parts;
    await using file = await TemporaryFile.empty();
    await saveAttachment(url, file.path, { hosts, maxBytes: MAX_FILE_BYTES, signal, clock });
    const kind = await probeFile(file.path);
    const stop = new AbortController();
    const decoding = decodeFile(file.path, kind, {
      clock,
      signal: AbortSignal.any([signal, stop.signal]),
      ffmpeg,
      maxDurationMs: MAX_DURATION_MS,
      cutting,
    });
    let spoken = false;
    const events = inOrder(
      decoding,
      async (message, running): Promise<TranscriptionEvent> => {
        if (message.type !== 'piece') return message;
        spoken = true;
        const { voicedStartMs: startMs, voicedEndMs: endMs } = message.piece;
        const text = await this.#words(message.piece, language, running).catch((error: unknown) => {
          // Nothing more is decoded for a file that has failed.
          stop.abort(error);
          throw error;
        });
        return { type: 'part', part: { startMs, endMs, text } };
      },
      { atOnce: PIECES_AT_ONCE, signal },
    );
    for await (const event of events) {
      if (event.type === 'ended' && !spoken) throw new AttachmentError('silent', 'no piece with sound');
      // A piece of noise has no words.
      if (event.type !== 'part' || event.part.text.trim() !== '') yield event;
    }
  }

  async #words({ mp3, durationMs }: SoundPiece, language: string | undefined, signal: AbortSignal): Promise<string> {
    const { model, clock, log } = this.#parts;
    const speech: Speech = { format: 'mp3', data: mp3, durationMs };
    for (let attempt = 1; ; attempt++) {
      try {
        let text = '';
        for await (const event of model.transcribe(speech, { language }, signal)) {
          if (event.type === 'done') text = event.text;
        }
        return text;
      } catch (error) {
        if (signal.aborted || attempt === ATTEMPTS || !(error instanceof ModelError) || !error.shouldRetry())
          throw error;
        log.warn({ err: error, attempt }, 'piece not written down');
        await sleep(clock, error.retryAfterMs ?? RETRY_AFTER_MS * attempt, signal);
      }
    }
  }
}
