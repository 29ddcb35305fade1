import { durationMs, SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { Mp3Encoder } from '../audio/mp3.ts';
import { concatSamples } from '../audio/pcm.ts';
import { AttachmentError } from './attachment-error.ts';
import { ByteFile } from './byte-file.ts';
import type { DecodeJob, DecodeMessage, SoundPiece } from './decode-job.ts';
import { DECODERS } from './decoders.ts';
import { MonoStream } from './mono-stream.ts';
import { readPcm } from './pcm-decoder.ts';
import { atMs, Segmenter, type Segment, type SegmentRules } from './segmenter.ts';
import type { SoundSource } from './sound-source.ts';

// The process in which untrusted files are decoded. It takes one job, answers it and ends by itself: `process.exit()`
// can hang for ever while V8 compiles in the background (nodejs/node#54918). Its parent kills it when it takes too long.

/** Typed arrays are not counted in V8's heap, so its limit does not hold a file that unpacks to gigabytes. */
const MAX_MEMORY_BYTES = 512 * 1024 * 1024;

const MINUTE_SAMPLES = 60 * SAMPLE_RATE_HZ;

const RULES: Readonly<Record<'text' | 'cues', SegmentRules>> = {
  // Long enough to make sense to the model, short enough that nothing is lost when one fails.
  text: { pauseMs: 400, minMs: 20_000, maxMs: 60_000 },
  // What one reads at a glance.
  cues: { pauseMs: 500, minMs: 1_000, maxMs: 12_000 },
};

process.once('message', (job: DecodeJob) => {
  void run(job).then((last) => {
    process.send?.(last, () => process.disconnect());
  });
});

async function run(job: DecodeJob): Promise<DecodeMessage> {
  try {
    const createEncoder = await Mp3Encoder.load();
    const { durationMs: claimedMs, sound } = await open(job);
    process.send?.({ type: 'begun', durationMs: claimedMs } satisfies DecodeMessage);
    const limited = new Limited(job.maxDurationMs);
    let pieces = 0;
    for await (const { segment, last } of segmentsOf(limited.take(sound), job)) {
      const isFirst = pieces++ === 0;
      if (pieces > job.skipPieces) await give({ ...pieceOf(segment, createEncoder()), only: isFirst && last });
    }
    if (limited.samples === 0) throw new AttachmentError('empty', 'no sound in the file');
    return { type: 'ended', durationMs: durationMs(limited.samples), cut: limited.cut };
  } catch (error) {
    const kind = error instanceof AttachmentError ? error.kind : 'damaged';
    return { type: 'failed', kind, message: error instanceof Error ? error.message : 'an unknown failure' };
  }
}

async function open({ kind, path }: DecodeJob): Promise<SoundSource> {
  if (kind === 'pcm') return { durationMs: undefined, sound: readPcm(process.stdin) };
  const decoder = await DECODERS[kind]();
  return decoder(new ByteFile(path));
}

async function* segmentsOf(
  sound: AsyncIterable<Int16Array>,
  { cutting }: DecodeJob,
): AsyncGenerator<{ readonly segment: Segment; readonly last: boolean }, void, undefined> {
  if (cutting === 'whole') {
    const samples = concatSamples(await Array.fromAsync(sound));
    yield { segment: { start: 0, samples, voicedStart: 0, voicedEnd: samples.length }, last: true };
    return;
  }
  const segmenter = new Segmenter(RULES[cutting]);
  for await (const samples of sound) {
    for (const segment of segmenter.push(samples)) yield { segment, last: false };
  }
  for (const segment of segmenter.flush()) yield { segment, last: true };
}

/** Resolves when the parent wants more. */
async function give(piece: SoundPiece): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once('message', () => resolve());
  process.send?.({ type: 'piece', piece } satisfies DecodeMessage);
  await promise;
}

/** Sound as 24 kHz mono, up to a duration. */
class Limited {
  readonly #maxSamples: number;
  samples = 0;
  cut = false;

  constructor(maxDurationMs: number) {
    this.#maxSamples = Math.floor((maxDurationMs * SAMPLE_RATE_HZ) / 1000);
  }

  async *take(sound: SoundSource['sound']): AsyncGenerator<Int16Array, void, undefined> {
    const mono = new MonoStream();
    for await (const chunk of sound) {
      if (process.memoryUsage.rss() > MAX_MEMORY_BYTES)
        throw new AttachmentError('damaged', 'a file that fills the memory');
      for (const piece of mono.push(chunk)) yield* this.#kept(piece);
      if (this.cut) return;
    }
    for (const piece of mono.flush()) yield* this.#kept(piece);
  }

  *#kept(piece: Int16Array): Generator<Int16Array, void, undefined> {
    const kept = piece.subarray(0, this.#maxSamples - this.samples);
    if (kept.length < piece.length) this.cut = true;
    const minute = Math.floor(this.samples / MINUTE_SAMPLES);
    this.samples += kept.length;
    if (Math.floor(this.samples / MINUTE_SAMPLES) > minute) process.send?.({ type: 'working' } satisfies DecodeMessage);
    if (kept.length > 0) yield kept;
  }
}

function pieceOf({ start, samples, voicedStart, voicedEnd }: Segment, encoder: Mp3Encoder): Omit<SoundPiece, 'only'> {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < samples.length; at += SAMPLE_RATE_HZ) {
    chunks.push(encoder.encode(samples.subarray(at, at + SAMPLE_RATE_HZ)));
  }
  chunks.push(encoder.finish());
  return {
    startMs: atMs(start),
    durationMs: durationMs(samples.length),
    voicedStartMs: atMs(voicedStart),
    voicedEndMs: atMs(voicedEnd),
    mp3: Buffer.concat(chunks),
  };
}
