import { durationMs, SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { Mp3Encoder } from '../audio/mp3.ts';
import { AttachmentError } from './attachment-error.ts';
import type { DecodeJob, DecodeResult } from './decode-job.ts';
import { DECODERS } from './decoders.ts';

// The process in which untrusted files are decoded. It takes one job, answers it and ends by itself: `process.exit()`
// can hang for ever while V8 compiles in the background (nodejs/node#54918). Its parent kills it when it takes too long.
process.once('message', (job: DecodeJob) => {
  void run(job).then((result) => {
    process.send?.(result, () => process.disconnect());
  });
});

async function run(job: DecodeJob): Promise<DecodeResult> {
  try {
    const decode = await DECODERS[job.kind]();
    const { samples, cut } = await decode(job.bytes, job.maxDurationMs);
    if (cut && job.whenLonger === 'refuse') {
      return { type: 'failed', kind: 'too-long', message: `more than ${job.maxDurationMs / 1000} s of sound` };
    }
    return { type: 'decoded', mp3: await encodeMp3(samples), durationMs: durationMs(samples.length), cut };
  } catch (error) {
    const kind = error instanceof AttachmentError ? error.kind : 'damaged';
    return { type: 'failed', kind, message: error instanceof Error ? error.message : 'an unknown failure' };
  }
}

async function encodeMp3(samples: Int16Array): Promise<Uint8Array> {
  const encoder = (await Mp3Encoder.load())();
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < samples.length; at += SAMPLE_RATE_HZ) {
    chunks.push(encoder.encode(samples.subarray(at, at + SAMPLE_RATE_HZ)));
  }
  chunks.push(encoder.finish());
  return Buffer.concat(chunks);
}
