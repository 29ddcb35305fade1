import { open, readFile, stat } from 'node:fs/promises';

import type { FileFormat, Recording, Speech } from '../model/model.ts';
import type { SoundPiece } from './decode-job.ts';
import { passThrough } from './decode.ts';
import { containerFormat, type FileKind } from './probe.ts';

/** What the transcription endpoint takes. */
const MAX_ENDPOINT_BYTES = 26_214_400;
/** The longest piece, in any format. */
const MAX_WHOLE_BYTES = 15_000_000;
/** What the decoder may leave out of a file that is one piece: silence at its ends. */
const MAX_LEFT_OUT_MS = 2_000;

/** The file itself where it is no more than one piece that every model takes as it is: nothing is encoded twice. */
export async function asItIs(path: string, kind: FileKind, piece: SoundPiece): Promise<Speech | undefined> {
  if (!piece.only || (await stat(path)).size > MAX_WHOLE_BYTES) return undefined;
  const whole = passThrough(kind, await readFile(path));
  return whole && Math.abs(whole.durationMs - piece.durationMs) <= MAX_LEFT_OUT_MS ? whole : undefined;
}

/** A file that we cannot decode and the endpoint can; `undefined` when it takes no such files, or none so large. */
export async function forEndpoint(path: string, formats: readonly FileFormat[]): Promise<Recording | undefined> {
  if ((await stat(path)).size > MAX_ENDPOINT_BYTES) return undefined;
  const format = containerFormat(await headOf(path));
  return format && formats.includes(format) ? { format, data: await readFile(path) } : undefined;
}

async function headOf(path: string): Promise<Uint8Array> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(128), 0, 128, 0);
  return buffer.subarray(0, bytesRead);
}
