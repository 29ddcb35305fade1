import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';

import { concatSamples } from '../../../src/audio/pcm.ts';
import { Transcriber } from '../../../src/files/transcriber.ts';
import type { Model } from '../../../src/model/model.ts';
import { monotonicClock } from '../../../src/time/clock.ts';
import { serve } from '../../files/file-server.ts';
import { randomFrom } from '../../files/mutate.ts';
import { silentLog } from '../../support/silent-log.ts';
import { hourKilled } from './hour-killed.ts';
import { Maker, someSpeech } from './made.ts';
import { MARK_MS, MARKS, MINUTES, NEAR_MS } from './marks.ts';
import { measured, type Measured } from './measured.ts';

const SEED = 1;

/**
 * An hour of marks at known times, written down by a model that answers after a random while; and what it takes to have
 * ffmpeg decode the same file into one WAV, as it is usually done.
 */
export async function benchHour(): Promise<string[]> {
  const speech = await someSpeech();
  const period = concatSamples([speech, new Int16Array((MARK_MS * 24_000) / 1000 - speech.length)]);
  using maker = new Maker(period);
  const file = maker.repeat({ extension: 'mp3', options: ['-c:a', 'libmp3lame', '-b:a', '64k'] }, MINUTES);
  await using server = await serve((_, response) => response.end(file));
  const random = randomFrom(SEED);
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

  const options = { language: undefined, cutting: 'cues' } as const;
  const { signal } = new AbortController();
  let firstMs = 0;
  let [cues, furthestMs] = [0, 0];
  const ours = await measured(async () => {
    const startedAtMs = performance.now();
    for await (const event of transcriber.transcribe(
      { url: `${server.url}/hour.mp3`, name: 'hour.mp3' },
      options,
      { done: new Map(), async keep() {} },
      signal,
    )) {
      if (event.type !== 'part') continue;
      firstMs ||= performance.now() - startedAtMs;
      furthestMs = Math.max(furthestMs, Math.abs(event.part.startMs - cues * MARK_MS));
      cues++;
    }
  });
  const theirs = await measured(() => decodedWhole(file));
  const right = cues === MARKS && furthestMs <= NEAR_MS;
  const row = (what: string, { seconds, peakBytes }: Measured, sentPerMinute: number): string =>
    `| ${what} | ${((MINUTES * 60) / seconds).toFixed(0)} × | ${Math.round(peakBytes / 1e6)} MB | ${Math.round(sentPerMinute / 1000)} kB |`;
  return [
    '| an hour of mp3 | against real time | memory above idle, children included | sent to the model a minute |',
    '|---|---|---|---|',
    row('Parley, compressed and sent in pieces', ours, sentBytes / MINUTES),
    row('ffmpeg into one WAV of 48 kHz stereo, nothing sent', theirs, 48_000 * 4 * 60),
    '',
    `${cues} cues of ${MARKS}, the furthest ${Math.round(furthestMs)} ms from the truth (at most ` +
      `${NEAR_MS}): ${right ? 'reached' : 'MISSED'}. First words after ${Math.round(firstMs)} ms.`,
    '',
    await hourKilled(SEED),
  ];
}

/** The usual way: the whole of it in memory. */
async function decodedWhole(file: Uint8Array): Promise<void> {
  const child = spawn('ffmpeg', ['-v', 'error', '-i', 'pipe:0', '-ar', '48000', '-ac', '2', '-f', 'wav', 'pipe:1']);
  const wav = buffer(child.stdout);
  child.stdin.end(file);
  await wav;
}
