import { readFileSync } from 'node:fs';

import { concatSamples } from '../../../src/audio/pcm.ts';
import { Transcriber } from '../../../src/files/transcriber.ts';
import type { Model } from '../../../src/model/model.ts';
import { monotonicClock } from '../../../src/time/clock.ts';
import { serve } from '../../files/file-server.ts';
import { randomFrom } from '../../files/mutate.ts';
import { silentLog } from '../../support/silent-log.ts';
import { Maker, someSpeech } from './made.ts';

const MINUTES = 60;
const MARK_MS = 10_000;
/** How far a cue may be from the truth. */
const NEAR_MS = 300;

/** An hour of marks at known times, written down by a model that answers after a random while. */
export async function transcribeHour(): Promise<void> {
  const speech = await someSpeech();
  const period = concatSamples([speech, new Int16Array((MARK_MS * 24_000) / 1000 - speech.length)]);
  using maker = new Maker(period);
  // ffmpeg repeats it: an hour of samples here would hide what the transcription takes.
  const loop = `aloop=loop=${(MINUTES * 60_000) / MARK_MS - 1}:size=${period.length}`;
  const coder = ['-af', loop, '-c:a', 'libmp3lame', '-b:a', '64k'];
  const file = maker.make({ extension: 'mp3', options: coder }, 1, 24_000);
  await using server = await serve((_, response) => response.end(file));
  const random = randomFrom(1);
  let sentBytes = 0;
  const model: Pick<Model, 'transcribe'> = {
    async *transcribe({ data }) {
      sentBytes += data.length;
      await new Promise((resolve) => setTimeout(resolve, random() * 50));
      yield { type: 'done', text: 'A mark.' };
    },
  };
  const hosts = [{ protocol: 'http:', host: server.host }];
  const transcriber = new Transcriber({
    model,
    fileFormats: [],
    hosts,
    ffmpeg: 'ffmpeg',
    clock: monotonicClock,
    log: silentLog,
  });

  const idleBytes = process.memoryUsage.rss();
  let peakBytes = 0;
  const watch = setInterval(() => (peakBytes = Math.max(peakBytes, memoryOfAll())), 100);
  const startedAtMs = performance.now();
  let firstAtMs = 0;
  let [cues, furthestMs] = [0, 0];
  const options = { language: undefined, cutting: 'cues' } as const;
  const { signal } = new AbortController();
  for await (const event of transcriber.transcribe(
    { url: `${server.url}/hour.mp3`, name: 'hour.mp3' },
    options,
    { done: new Map(), async keep() {} },
    signal,
  )) {
    if (event.type !== 'part') continue;
    firstAtMs ||= performance.now();
    furthestMs = Math.max(furthestMs, Math.abs(event.part.startMs - cues * MARK_MS));
    cues++;
  }
  clearInterval(watch);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const right = cues === (MINUTES * 60_000) / MARK_MS && furthestMs <= NEAR_MS;
  process.stdout.write(
    [
      `hour: ${cues} cues, furthest ${Math.round(furthestMs)} ms from the truth: ${right ? 'right' : 'WRONG'}`,
      `first words after ${Math.round(firstAtMs - startedAtMs)} ms; ${((MINUTES * 60) / seconds).toFixed(0)} times real time`,
      `memory above idle, children included: ${Math.round((peakBytes - idleBytes) / 1e6)} MB`,
      `sent per minute: ${Math.round(sentBytes / MINUTES / 1000)} kB (48 kHz stereo WAV: ${(48_000 * 4 * 60) / 1000} kB)`,
      '',
    ].join('\n'),
  );
  if (!right) process.exitCode = 1;
}

/** Resident memory of this process and its children (Linux). */
function memoryOfAll(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return children.reduce((sum, pid) => {
    try {
      return sum + Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
    } catch {
      return sum; // It has just ended.
    }
  }, process.memoryUsage.rss());
}
