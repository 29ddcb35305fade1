import { readdirSync, readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { AttachmentError } from '../../src/files/attachment-error.ts';
import { decodeAttachment } from '../../src/files/decode.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { mutate } from './mutate.ts';

const FOLDER = new URL('fixtures/', import.meta.url);

// The same over all formats and 2,000 files: `npm run bench -- mutants`.
it.each(readdirSync(FOLDER))('damaged copies of %s give sound or a clear answer', async (name) => {
  const file = readFileSync(new URL(name, FOLDER));
  const { signal } = new AbortController();
  for (const seed of [2, 4]) {
    const options = { clock: monotonicClock, signal, ffmpeg: '/nowhere/ffmpeg' };
    const answer = await decodeAttachment(mutate(file, seed), options).then(
      ({ durationMs }) => (durationMs > 0 ? 'sound' : 'nothing'),
      (error: unknown) => (error instanceof AttachmentError ? 'clear' : error),
    );
    expect(answer).toBeOneOf(['sound', 'clear']);
  }
});
