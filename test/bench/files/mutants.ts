import { AttachmentError } from '../../../src/files/attachment-error.ts';
import { decodeAttachment } from '../../../src/files/decode.ts';
import { monotonicClock } from '../../../src/time/clock.ts';
import { mutate } from '../../files/mutate.ts';
import { TRAPS } from '../../files/traps.ts';
import type { BenchOptions } from '../part.ts';
import { FORMATS, Maker, someSpeech } from './made.ts';
import { measured } from './measured.ts';

const AT_ONCE = 2;
const MAX_MS = 10_000;

const MUTANTS = 2000;

/** A file to be looked at. */
interface Specimen {
  readonly name: string;
  readonly make: () => Uint8Array;
}

/** Damaged files of every format, and the hand-made ones: each gives sound or a clear answer in time, and nothing crashes. */
export async function benchMutants({ turns: count = MUTANTS }: BenchOptions): Promise<string[]> {
  using maker = new Maker(await someSpeech());
  const files = FORMATS.map((format) => maker.make(format, 1, format.rates?.at(-1) ?? 48_000));
  const mutants = Array.from({ length: count }, (_, seed) => ({
    name: `seed ${seed}`,
    make: () => mutate(files[Math.floor(seed / 7) % files.length] ?? new Uint8Array(0), seed),
  }));
  return [
    `${count} damaged files (seeds 0 to ${count - 1}): ${await examine(mutants)}`,
    '',
    `${TRAPS.length} files made to do harm: ${await examine(TRAPS)}`,
  ];
}

async function examine(specimens: readonly Specimen[]): Promise<string> {
  const answers = new Map<string, number>();
  const odd: string[] = [];
  let slowestMs = 0;
  const rest = specimens.values();
  const work = async (): Promise<void> => {
    for (const { name, make } of rest) {
      const startedAtMs = performance.now();
      const answer = await answerTo(make());
      const tookMs = performance.now() - startedAtMs;
      slowestMs = Math.max(slowestMs, tookMs);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      if (answer.startsWith('FAILED') || tookMs > MAX_MS) odd.push(`${name}: ${answer}, ${Math.round(tookMs)} ms`);
    }
  };
  const { peakBytes } = await measured(async () => {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  });
  const counts = [...answers].map(([answer, times]) => `${answer} ${times}`).join(', ');
  const verdict =
    odd.length === 0 ? 'None failed or took longer than 10 s.' : `Not as they should be: ${odd.join('; ')}.`;
  return (
    `${counts}. The slowest took ${Math.round(slowestMs)} ms; ${AT_ONCE} at a time and their processes took at most ` +
    `${Math.round(peakBytes / 1e6)} MB. ${verdict}`
  );
}

async function answerTo(bytes: Uint8Array): Promise<string> {
  const { signal } = new AbortController();
  try {
    await decodeAttachment(bytes, { clock: monotonicClock, signal, ffmpeg: 'ffmpeg' });
    return 'sound';
  } catch (error) {
    if (error instanceof AttachmentError) return error.kind;
    return `FAILED ${error instanceof Error ? error.message : String(error)}`;
  }
}
