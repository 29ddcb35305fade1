import { fork, type ChildProcess } from 'node:child_process';
import { on } from 'node:events';

import type { Clock } from '../time/clock.ts';
import { AttachmentError } from './attachment-error.ts';
import type { Cutting, DecodableKind, DecodeJob, DecodeMessage, DecodeMore } from './decode-job.ts';
import { startFfmpeg, type Ffmpeg } from './ffmpeg.ts';
import type { FileKind } from './probe.ts';

export interface DecodingOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The program that decodes what we cannot: its name or path. */
  readonly ffmpeg: string;
  readonly maxDurationMs: number;
  readonly cutting: Cutting;
  /** Default: none. See {@link DecodeJob}. */
  readonly skipPieces?: number;
}

/** What is decoded of a file. */
export type Decoded = Exclude<DecodeMessage, { type: 'failed' | 'working' }>;

/**
 * The next piece or minute must be done within this time: nobody waits for ten seconds to be told that a file is no good. A
 * minute of sound takes half a second of it, on a machine that has many other things to do ten times as much.
 */
const PIECE_DEADLINE_MS = 9_000;
const CHILD_HEAP_MB = 192;

/** Kinds and what decodes them. Where that finds a codec it does not know, ffmpeg has a try. */
const WITH: Readonly<Partial<Record<FileKind, DecodableKind | 'ffmpeg'>>> = {
  wav: 'wav',
  mp3: 'mp3',
  'ogg-opus': 'ogg-opus',
  'ogg-vorbis': 'ogg-vorbis',
  'ogg-flac': 'ogg-flac',
  flac: 'flac',
  webm: 'container',
  m4a: 'container',
  video: 'container',
  aac: 'ffmpeg',
  aiff: 'ffmpeg',
  amr: 'ffmpeg',
  wma: 'ffmpeg',
  ogg: 'ffmpeg',
};

/**
 * Decodes a file to pieces of MP3: `begun`, then pieces as they are asked for, then `ended`. All work is done by a child
 * process that a hostile file can do no more to than end; one piece is made ahead, and nothing else is held.
 * @throws {AttachmentError} also in the middle; the signal's reason when it aborts.
 */
export async function* decodeFile(
  path: string,
  kind: FileKind,
  options: DecodingOptions,
): AsyncGenerator<Decoded, void, undefined> {
  const decoder = WITH[kind];
  if (!decoder) throw new AttachmentError('unsupported', `a file of the kind ${kind}`);
  if (decoder !== 'ffmpeg') {
    let begun = false;
    try {
      for await (const message of decodeWith(decoder, path, options)) {
        begun = true;
        yield message;
      }
      return;
    } catch (error) {
      if (begun || !(error instanceof AttachmentError) || !mayTryFfmpeg(decoder, error)) throw error;
    }
  }
  using running = await startFfmpeg(path, options);
  yield* decodeWith('pcm', path, options, running);
}

/** Codecs in containers that have many, and in WAV. */
function mayTryFfmpeg(decoder: DecodableKind, { kind }: AttachmentError): boolean {
  return kind === 'needs-ffmpeg' || (decoder === 'wav' && kind === 'unsupported');
}

async function* decodeWith(
  kind: DecodeJob['kind'],
  path: string,
  { clock, signal, maxDurationMs, cutting, skipPieces = 0 }: DecodingOptions,
  ffmpeg?: Ffmpeg,
): AsyncGenerator<Decoded, void, undefined> {
  signal.throwIfAborted();
  const child = fork(new URL('./decode-child.ts', import.meta.url), {
    // It may read files, to load its code, and nothing else: no writing, no processes, no native code. Told to be small it
    // collects what it drops sooner: a quarter less memory, at the same speed.
    execArgv: [`--max-old-space-size=${CHILD_HEAP_MB}`, '--optimize-for-size', '--permission', '--allow-fs-read=*'],
    // Nothing of ours is in its reach: no secrets in its environment, no terminal.
    env: {},
    stdio: [ffmpeg ? 'pipe' : 'ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  let failure: Error | undefined;
  child.once('error', (cause) => (failure = new Error('the decoder did not start', { cause })));
  const kill = (): void => void child.kill('SIGKILL');
  const late = (): void => {
    failure = new AttachmentError('damaged', `no minute of sound within ${PIECE_DEADLINE_MS} ms`);
    kill();
  };
  signal.addEventListener('abort', kill, { once: true });
  // Messages come before the disconnection, which `exit` need not wait for.
  const messages: AsyncIterator<DecodeMessage[]> = on(child, 'message', { close: ['disconnect', 'error'] });
  let deadline = clock.after(PIECE_DEADLINE_MS, late);
  try {
    if (child.stdin && ffmpeg) ffmpeg.pipeTo(child.stdin);
    send(child, { kind, path, maxDurationMs, cutting, skipPieces });
    for (;;) {
      const { value, done } = await messages.next();
      signal.throwIfAborted();
      const message = done ? undefined : value[0];
      if (!message) throw failure ?? new AttachmentError('damaged', 'the decoder ended without an answer');
      deadline[Symbol.dispose]();
      if (message.type === 'failed') throw new AttachmentError(message.kind, message.message);
      if (message.type === 'piece') send(child, 'more');
      if (message.type !== 'working') yield message;
      if (message.type === 'ended') return;
      deadline = clock.after(PIECE_DEADLINE_MS, late);
    }
  } finally {
    deadline[Symbol.dispose]();
    signal.removeEventListener('abort', kill);
    await messages.return?.();
    kill();
  }
}

function send(child: ChildProcess, message: DecodeJob | DecodeMore): void {
  child.send(message, (error) => {
    // A child that has died already is told of by its disconnection.
    if (error) child.kill('SIGKILL');
  });
}
