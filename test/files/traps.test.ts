import { expect, it } from 'vitest';

import { decodeAttachment } from '../../src/files/decode.ts';
import { AttachmentError } from '../../src/files/attachment-error.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { TRAPS } from './traps.ts';

/** What is said of them with ffmpeg, too, and how long that takes: `npm run bench -- mutants`. */
it.each(TRAPS)('$name: $answer', async ({ make, answer }) => {
  const { signal } = new AbortController();
  const options = { clock: monotonicClock, signal, ffmpeg: '/nowhere/ffmpeg' };
  const said = await decodeAttachment(make(), options).then(
    () => 'sound',
    (error: unknown) => (error instanceof AttachmentError ? error.kind : error),
  );
  expect(said).toBe(answer);
});
