import { fork, type ChildProcess } from 'node:child_process';

import { encodeWav } from '../audio/wav.ts';
import type { Speech } from '../model/model.ts';
import type { Clock } from '../time/clock.ts';
import { AttachmentError } from './attachment-error.ts';
import type { DecodableKind, DecodeJob, DecodeResult } from './decode-job.ts';
import { findMp3 } from './mp3-frames.ts';
import { probe, type FileKind } from './probe.ts';
import { readWavInfo } from './wav-header.ts';

export interface DecodeOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Default: ten minutes. */
  readonly maxDurationMs?: number;
  /** What becomes of longer files. Default `refuse`: a person should not get an answer to half of what they said. */
  readonly whenLonger?: 'refuse' | 'cut';
}

export interface DecodedAttachment {
  readonly speech: Speech;
  readonly durationMs: number;
  /** Only the first `maxDurationMs` are in it. */
  readonly cut: boolean;
}

/** Longest sound that is taken at once. */
const MAX_DURATION_MS = 10 * 60_000;

/** The API takes 20 MB, and counts base64: three quarters of that. */
const MAX_MODEL_BYTES = 15_000_000;

/**
 * Larger WAV files are sent as MP3, a sixth of the size: upload time, and Azure's rate limit counts a request's
 * characters.
 */
const MAX_WAV_BYTES = 2_000_000;

/** Decoding ten minutes takes half of it. */
const CHILD_DEADLINE_MS = 10_000;
const CHILD_HEAP_MB = 192;

/**
 * Makes an attached file fit for the model. MP3 and plain WAV go as they are, without what surrounds the sound; the rest
 * is decoded in a child process, which a hostile file can do no more to than end it, and comes back as MP3.
 * @throws {AttachmentError} `empty`, `unsupported`, `damaged` or `too-long`; the signal's reason when it aborts.
 */
export async function decodeAttachment(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedAttachment> {
  const maxDurationMs = options.maxDurationMs ?? MAX_DURATION_MS;
  if (bytes.length === 0) throw new AttachmentError('empty', 'no bytes in the file');
  const kind = probe(bytes);
  if (!isDecodable(kind)) throw new AttachmentError('unsupported', `a file of the kind ${kind}`);

  const whole = passThrough(kind, bytes);
  const whenLonger = options.whenLonger ?? 'refuse';
  if (whole && whole.durationMs > maxDurationMs && whenLonger === 'refuse') {
    throw new AttachmentError('too-long', `more than ${maxDurationMs / 1000} s of sound`);
  }
  if (whole && whole.durationMs <= maxDurationMs && whole.data.length <= MAX_MODEL_BYTES) {
    return { speech: whole, durationMs: whole.durationMs, cut: false };
  }

  const result = await decodeInChild({ kind, bytes, maxDurationMs, whenLonger }, options);
  if (result.type === 'failed') throw new AttachmentError(result.kind, result.message);
  const { mp3: data, durationMs, cut } = result;
  return { speech: { format: 'mp3', data, durationMs }, durationMs, cut };
}

function isDecodable(kind: FileKind): kind is DecodableKind {
  return kind === 'wav' || kind === 'mp3' || kind === 'ogg-opus';
}

/** The sound as it is, when the model can take it. */
function passThrough(kind: DecodableKind, bytes: Uint8Array): Speech | undefined {
  if (kind === 'mp3') {
    const frames = findMp3(bytes);
    if (!frames?.whole) return undefined;
    return { format: 'mp3', data: bytes.subarray(frames.start, frames.end), durationMs: frames.durationMs };
  }
  if (kind === 'wav') {
    const { coding, channels, sampleRateHz, dataOffset, dataBytes, durationMs } = readWavInfo(bytes);
    if (coding !== 's16' || channels !== 1 || dataBytes > MAX_WAV_BYTES) return undefined;
    // A copy, so that it is aligned; `slice` would be none on a Buffer.
    const samples = new Int16Array(new Uint8Array(bytes.subarray(dataOffset, dataOffset + dataBytes)).buffer);
    return { format: 'wav', data: encodeWav(samples, sampleRateHz), durationMs };
  }
  return undefined;
}

async function decodeInChild(job: DecodeJob, { clock, signal }: DecodeOptions): Promise<DecodeResult> {
  signal.throwIfAborted();
  const child = fork(new URL('./decode-child.ts', import.meta.url), {
    // It may read files, to load its code, and nothing else: no writing, no processes, no native code.
    execArgv: [`--max-old-space-size=${CHILD_HEAP_MB}`, '--permission', '--allow-fs-read=*'],
    // Nothing of ours is in its reach: no secrets in its environment, no terminal.
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  let late = false;
  const kill = (): void => void child.kill('SIGKILL');
  const deadline = clock.after(CHILD_DEADLINE_MS, () => {
    late = true;
    kill();
  });
  signal.addEventListener('abort', kill, { once: true });
  try {
    return await answerOf(child, job);
  } catch (cause) {
    signal.throwIfAborted();
    // Most likely a long file on a busy machine; a file that makes the decoder hang is told the same.
    if (late) throw new AttachmentError('too-long', `not decoded within ${CHILD_DEADLINE_MS} ms`, { cause });
    throw cause;
  } finally {
    deadline[Symbol.dispose]();
    signal.removeEventListener('abort', kill);
  }
}

function answerOf(child: ChildProcess, job: DecodeJob): Promise<DecodeResult> {
  const { promise, resolve, reject } = Promise.withResolvers<DecodeResult>();
  child.once('message', (result: DecodeResult) => resolve(result));
  child.once('error', (cause) => reject(new Error('the decoder did not start', { cause })));
  // Comes after every message, which `exit` need not.
  child.once('disconnect', () => reject(new AttachmentError('damaged', 'the decoder ended without an answer')));
  child.send(job, (error) => {
    // A child that has died already is told of by its disconnection.
    if (error) child.kill('SIGKILL');
  });
  return promise;
}
