import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

import { SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { AttachmentError } from './attachment-error.ts';

/** Limits of its own, beside the time that the reader of its sound gives it. */
const MAX_CPU_SECONDS = 600;
const MAX_ALLOCATION_BYTES = 67_108_864;

/** Where programs are looked for: the bot's own environment is nothing to hand to it. */
const SEARCH_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';

/** Only these are opened. A playlist that calls itself .mp3 would otherwise lead ffmpeg to files of this machine. */
const FORMATS = 'wav,w64,mp3,flac,ogg,matroska,mov,aac,aiff,caf,amr,asf';

/** ffmpeg, decoding. Disposing ends it. */
export interface Ffmpeg extends Disposable {
  /** Its sound: 24 kHz mono signed 16-bit. */
  pipeTo(sink: Writable): void;
}

/**
 * Starts ffmpeg on a file.
 * @throws {AttachmentError} `needs-ffmpeg` when there is none.
 */
export async function startFfmpeg(
  path: string,
  { ffmpeg, maxDurationMs }: { readonly ffmpeg: string; readonly maxDurationMs: number },
): Promise<Ffmpeg> {
  const child = spawn(ffmpeg, argumentsFor(path, maxDurationMs), {
    env: { PATH: SEARCH_PATH },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new AttachmentError('needs-ffmpeg', 'ffmpeg does not start', { cause });
  }
  return {
    pipeTo(sink) {
      // Either end may be killed: the other is told by its end.
      sink.on('error', () => child.kill('SIGKILL'));
      child.stdout.on('error', () => sink.destroy());
      child.stdout.pipe(sink);
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

function argumentsFor(path: string, maxDurationMs: number): string[] {
  // A second more than is wanted, so that it is seen to be cut.
  const seconds = maxDurationMs / 1000 + 1;
  return [
    `-nostdin -hide_banner -v error -max_alloc ${MAX_ALLOCATION_BYTES} -timelimit ${MAX_CPU_SECONDS} -threads 1`.split(
      ' ',
    ),
    `-protocol_whitelist file,pipe -format_whitelist ${FORMATS}`.split(' '),
    ['-i', `file:${path}`],
    `-map 0:a:0 -vn -sn -dn -t ${seconds} -ac 1 -ar ${SAMPLE_RATE_HZ} -c:a pcm_s16le -f s16le pipe:1`.split(' '),
  ].flat();
}
