import { durationMs } from '../audio/frame.ts';
import { MP3_DELAY_SAMPLES } from '../audio/mp3.ts';
import { UserError } from '../language/user-error.ts';
import { ModelError } from '../model/errors.ts';
import type { FileFormat, Model, Recording, Speech, TimedWords } from '../model/model.ts';
import type { Log } from '../telemetry/log.ts';
import { sleep, type Clock } from '../time/clock.ts';
import { AttachmentError } from './attachment-error.ts';
import type { Attached } from './attached-speech.ts';
import type { SoundPiece } from './decode-job.ts';
import { decodeFile, type Decoded } from './decoding.ts';
import { saveAttachment, type AttachmentHost } from './fetch.ts';
import { inOrder } from './in-order.ts';
import { probeFile } from './probe-file.ts';
import { Slots } from './slots.ts';
import { TemporaryFile } from './temporary-file.ts';
import type { TranscriptPart } from './transcript.ts';
import { asItIs, forEndpoint } from './whole-file.ts';

/** Discord's largest upload on a server without boosts is 10 MB, with all of them 100 MB. */
const MAX_FILE_BYTES = 100 * 1024 * 1024;
/** A quarter of a working day. Sound after this is left out, and the answer says so. */
const MAX_DURATION_MS = 4 * 3_600_000;

/** Sound in an MP3 of ours comes so much later than in its source. */
const ENCODER_DELAY_MS = durationMs(MP3_DELAY_SAMPLES);

const PIECES_AT_ONCE = 4;
const ATTEMPTS = 3;
const RETRY_AFTER_MS = 2_000;

const FILES_AT_ONCE = 2;
const MAX_WAITING = 8;

export interface TranscriberParts {
  readonly model: Pick<Model, 'transcribe'>;
  /** What the model takes as files where we cannot decode them. */
  readonly fileFormats: readonly FileFormat[];
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

/** The pieces of a transcription: the same file is cut into the same pieces, whoever writes it down. */
export interface TranscriptionPieces {
  /** What was written down before, by the number of its piece. */
  readonly done: ReadonlyMap<number, readonly TranscriptPart[]>;
  /** Called with every other piece as it is written down, in any order. Must not reject. */
  keep(index: number, parts: readonly TranscriptPart[]): Promise<void>;
}

export type TranscriptionEvent =
  /** `durationMs` is what the file claims, if it does. */
  | { readonly type: 'begun'; readonly durationMs: number | undefined }
  | { readonly type: 'part'; readonly part: TranscriptPart }
  | { readonly type: 'ended'; readonly durationMs: number; readonly cut: boolean };

/** A file to be written down. */
export interface TranscribedFile extends Attached {
  /** A link that works, when the one that is known has expired; `undefined`: there is none. */
  freshUrl?(): Promise<string | undefined>;
}

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
    file: TranscribedFile,
    options: TranscriptionOptions,
    pieces: TranscriptionPieces,
    signal: AbortSignal,
  ): AsyncGenerator<TranscriptionEvent, void, undefined> {
    using slot = await this.#slots.take(signal);
    if (!slot) throw new UserError({ type: 'plain', id: 'busy' });
    try {
      yield* this.#file(file, options, pieces, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof AttachmentError) {
        throw new UserError({ type: 'file', trouble: error.kind, fileName: file.name }, { cause: error });
      }
      if (error instanceof ModelError) throw new UserError({ type: 'model', trouble: error.kind }, { cause: error });
      throw error;
    }
  }

  async *#file(
    file: TranscribedFile,
    { language, cutting }: TranscriptionOptions,
    pieces: TranscriptionPieces,
    signal: AbortSignal,
  ): AsyncGenerator<TranscriptionEvent, void, undefined> {
    const ready = readyParts(pieces);
    for (const part of ready.parts) yield { type: 'part', part };
    await using saved = await TemporaryFile.empty();
    await this.#save(file, saved.path, signal);
    try {
      yield* this.#pieces(saved.path, { language, cutting }, pieces, ready.pieces, signal);
    } catch (error) {
      const needsFfmpeg = error instanceof AttachmentError && error.kind === 'needs-ffmpeg';
      const recording = needsFfmpeg ? await forEndpoint(saved.path, this.#parts.fileFormats) : undefined;
      if (!recording || signal.aborted) throw error;
      yield* this.#whole(recording, language, signal);
    }
  }

  /** Decodes the file and has its pieces written down. */
  async *#pieces(
    path: string,
    { language, cutting }: TranscriptionOptions,
    pieces: TranscriptionPieces,
    skipPieces: number,
    signal: AbortSignal,
  ): AsyncGenerator<TranscriptionEvent, void, undefined> {
    const { clock, ffmpeg } = this.#parts;
    const kind = await probeFile(path);
    const stop = new AbortController();
    const decoding = decodeFile(path, kind, {
      clock,
      signal: AbortSignal.any([signal, stop.signal]),
      ffmpeg,
      maxDurationMs: MAX_DURATION_MS,
      cutting,
      skipPieces,
    });
    const write = async (piece: SoundPiece, running: AbortSignal): Promise<readonly TranscriptPart[]> => {
      try {
        const speech = await asItIs(path, kind, piece);
        const timed = await this.#words(speech ?? speechOf(piece), language, running);
        return partsOf(timed, piece, speech ? 0 : ENCODER_DELAY_MS);
      } catch (error) {
        // Nothing more is decoded for a file that has failed.
        stop.abort(error);
        throw error;
      }
    };
    let spoken = skipPieces > 0;
    const written = inOrder(
      numbered(decoding, skipPieces),
      async ({ message, index }, running): Promise<readonly TranscriptionEvent[]> => {
        if (message.type !== 'piece') return [message];
        spoken = true;
        const before = pieces.done.get(index);
        const parts = before ?? (await write(message.piece, running));
        if (!before) await pieces.keep(index, parts);
        return parts.map((part) => ({ type: 'part', part }));
      },
      { atOnce: PIECES_AT_ONCE, signal },
    );
    for await (const events of written) {
      if (events[0]?.type === 'ended' && !spoken) throw new AttachmentError('silent', 'no piece with sound');
      yield* events;
    }
  }

  /** Has the endpoint write down a file that we cannot decode. Its times are the endpoint's, if it tells any. */
  async *#whole(
    recording: Recording,
    language: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<TranscriptionEvent, void, undefined> {
    const { text, passages } = await this.#words(recording, language, signal);
    const parts = passages ?? [{ startMs: 0, endMs: 0, text }];
    for (const part of parts) if (part.text.trim() !== '') yield { type: 'part', part };
    yield { type: 'ended', durationMs: parts.at(-1)?.endMs ?? 0, cut: false };
  }

  async #save(file: TranscribedFile, path: string, signal: AbortSignal): Promise<void> {
    const { hosts, clock } = this.#parts;
    const options = { hosts, maxBytes: MAX_FILE_BYTES, signal, clock };
    try {
      await saveAttachment(file.url, path, options);
    } catch (error) {
      if (!(error instanceof AttachmentError) || error.kind !== 'gone') throw error;
      const url = await file.freshUrl?.();
      if (url === undefined) throw error;
      await saveAttachment(url, path, options);
    }
  }

  async #words(recording: Recording, language: string | undefined, signal: AbortSignal): Promise<Written> {
    const { model, clock, log } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      try {
        let written: Written = { text: '', passages: undefined };
        for await (const event of model.transcribe(recording, { language }, signal)) {
          if (event.type === 'done') written = { text: event.text, passages: event.passages };
        }
        return written;
      } catch (error) {
        if (signal.aborted || attempt === ATTEMPTS || !(error instanceof ModelError) || !error.shouldRetry())
          throw error;
        log.warn({ err: error, attempt }, 'piece not written down');
        await sleep(clock, error.retryAfterMs ?? RETRY_AFTER_MS * attempt, signal);
      }
    }
  }
}

interface Written {
  readonly text: string;
  readonly passages: readonly TimedWords[] | undefined;
}

function speechOf({ mp3, durationMs }: SoundPiece): Speech {
  return { format: 'mp3', data: mp3, durationMs };
}

/**
 * What is said in a piece, at its times in the file; nothing for a piece of noise. Where the endpoint tells no times, those of
 * the sound count, and what it tells is kept within them.
 */
function partsOf(
  { text, passages }: Written,
  { startMs, voicedStartMs, voicedEndMs }: SoundPiece,
  delayMs: number,
): readonly TranscriptPart[] {
  const within = (ms: number): number => Math.min(Math.max(startMs + ms - delayMs, voicedStartMs), voicedEndMs);
  const parts = passages?.map((passage) => ({
    startMs: within(passage.startMs),
    endMs: within(passage.endMs),
    text: passage.text,
  })) ?? [{ startMs: voicedStartMs, endMs: voicedEndMs, text }];
  return parts.filter((part) => part.text.trim() !== '');
}

/** The pieces that are done at the beginning, without a gap, and what is said in them. */
function readyParts({ done }: TranscriptionPieces): { pieces: number; parts: readonly TranscriptPart[] } {
  let pieces = 0;
  while (done.has(pieces)) pieces++;
  const parts = Array.from({ length: pieces }, (_, index) => done.get(index) ?? []).flat();
  return { pieces, parts };
}

/** Counts the pieces. */
async function* numbered(
  decoding: AsyncGenerator<Decoded, void, undefined>,
  first: number,
): AsyncGenerator<{ readonly message: Decoded; readonly index: number }, void, undefined> {
  let index = first;
  for await (const message of decoding) {
    yield { message, index };
    if (message.type === 'piece') index++;
  }
}
