import { AttachmentError } from '../../../src/files/attachment-error.ts';
import { decodeAttachment } from '../../../src/files/decode.ts';
import { monotonicClock } from '../../../src/time/clock.ts';
import { mutate } from '../../files/mutate.ts';
import type { BenchOptions } from '../part.ts';
import { FORMATS, Maker, someSpeech } from './made.ts';

const AT_ONCE = 2;
const MAX_MS = 15_000;

const MUTANTS = 2000;

/** Damaged files of every format: each gives sound or a clear answer in time, and nothing crashes. */
export async function benchMutants({ turns: count = MUTANTS }: BenchOptions): Promise<string[]> {
  using maker = new Maker(await someSpeech());
  const files = FORMATS.map((format) => maker.make(format, 1, format.rates?.at(-1) ?? 48_000));
  const answers = new Map<string, number>();
  const odd: string[] = [];
  let slowestMs = 0;
  let seed = 0;
  const work = async (): Promise<void> => {
    while (seed < count) {
      const mine = seed++;
      const file = files[Math.floor(mine / 7) % files.length] ?? Buffer.alloc(0);
      const startedAtMs = performance.now();
      const answer = await answerTo(mutate(file, mine));
      const tookMs = performance.now() - startedAtMs;
      slowestMs = Math.max(slowestMs, tookMs);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      if (answer.startsWith('FAILED') || tookMs > MAX_MS) odd.push(`seed ${mine}: ${answer}, ${Math.round(tookMs)} ms`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const counts = [...answers].map(([answer, times]) => `${answer} ${times}`).join(', ');
  return [
    `${count} damaged files (seeds 0 to ${count - 1}): ${counts}; the slowest took ${Math.round(slowestMs)} ms.`,
    odd.length === 0 ? 'None failed or took longer than 15 s.' : `Not as they should be: ${odd.join('; ')}.`,
  ];
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
