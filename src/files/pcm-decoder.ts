import type { Readable } from 'node:stream';

import { AttachmentError } from './attachment-error.ts';

/** 24 kHz mono signed 16-bit, as a program that decodes writes it. */
export async function* readPcm(input: Readable): AsyncGenerator<Int16Array, void, undefined> {
  let odd: Buffer = Buffer.alloc(0);
  let any = false;
  for await (const chunk of input) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('sound that is text');
    const bytes = Buffer.concat([odd, chunk]);
    const whole = bytes.length - (bytes.length % 2);
    odd = bytes.subarray(whole);
    if (whole === 0) continue;
    any = true;
    // A copy, so that it is aligned.
    yield new Int16Array(Uint8Array.from(bytes.subarray(0, whole)).buffer);
  }
  if (!any) throw new AttachmentError('damaged', 'nothing was decoded');
}
