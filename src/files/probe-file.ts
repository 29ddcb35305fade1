import { open } from 'node:fs/promises';

import { probe, type FileKind } from './probe.ts';

/** What is looked at: an MP3 without a tag is known by its first frames. */
const HEAD_BYTES = 65_536;

/** Names a file by what is in it. */
export async function probeFile(path: string): Promise<FileKind> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return probe(buffer.subarray(0, bytesRead));
}
