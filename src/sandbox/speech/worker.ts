import { parentPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';

import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import { toInt16 } from '../../audio/pcm.ts';
import { resample } from '../../audio/resample.ts';
import type { SandboxVoice } from '../control/protocol.ts';
import { Flite } from './flite.ts';
import { Recognizer } from './recognizer.ts';
import { sayable } from './sentences.ts';

/** What the thread is asked. `load` only makes it ready. */
export type SpeechJob =
  | { readonly kind: 'load' }
  | { readonly kind: 'synthesize'; readonly sentence: string; readonly voice: SandboxVoice }
  | { readonly kind: 'recognize'; readonly samples: Int16Array };

export interface SpeechRequest {
  readonly id: number;
  readonly job: SpeechJob;
}

export type SpeechAnswer =
  | { readonly id: number; readonly ok: true; readonly value: Int16Array | string | undefined }
  | { readonly id: number; readonly ok: false; readonly message: string };

/** Silence kept before and after the speech. */
const EDGE_MS = 50;
/** Quieter than this (of full scale, over 10 ms) is silence. */
const SILENCE_LEVEL = 0.003;

if (parentPort !== null) serve(parentPort);

/** Works through jobs one after the other; `null` ends the thread. */
function serve(port: MessagePort): void {
  const loading = Flite.load().then((flite) => new SpeechEngine(flite));
  // A failure to load is answered to each job; this only keeps it from being an unhandled rejection before the first.
  loading.catch(() => undefined);
  let previous: Promise<void> = Promise.resolve();
  port.on('message', (request: SpeechRequest | null) => {
    previous = previous.then(async () => {
      if (request === null) {
        port.close();
        return;
      }
      try {
        const value = (await loading).run(request.job);
        port.postMessage({ id: request.id, ok: true, value } satisfies SpeechAnswer);
      } catch (error) {
        port.postMessage({ id: request.id, ok: false, message: String(error) } satisfies SpeechAnswer);
      }
    });
  });
}

class SpeechEngine {
  readonly #flite: Flite;
  readonly #recognizer = new Recognizer();

  constructor(flite: Flite) {
    this.#flite = flite;
  }

  run(job: SpeechJob): Int16Array | string | undefined {
    if (job.kind === 'synthesize') return this.#synthesize(job.sentence, job.voice);
    if (job.kind === 'recognize') return this.#recognizer.recognize(job.samples);
    return undefined;
  }

  #synthesize(sentence: string, voice: SandboxVoice): Int16Array {
    const said = sayable(sentence);
    if (said === '') return hum();
    const { samples, sampleRateHz } = this.#flite.speak(said, voice);
    const trimmed = trim(samples, sampleRateHz);
    if (trimmed.length === 0) return hum();
    const speech = toInt16(resample(trimmed, sampleRateHz, SAMPLE_RATE_HZ));
    this.#recognizer.learn(`${voice} ${sentence}`, sentence, speech);
    return speech;
  }
}

function trim(samples: Float32Array, sampleRateHz: number): Float32Array {
  const block = sampleRateHz / 100;
  const edge = (sampleRateHz * EDGE_MS) / 1000;
  let first = -1;
  let end = 0;
  for (let at = 0; at < samples.length; at += block) {
    let energy = 0;
    for (const sample of samples.subarray(at, at + block)) energy += sample * sample;
    if (energy / block < SILENCE_LEVEL ** 2) continue;
    if (first < 0) first = at;
    end = at + block;
  }
  return first < 0 ? samples.subarray(0, 0) : samples.slice(Math.max(0, first - edge), end + edge);
}

/** 0.25 s of a soft low tone: stands for words the synthesiser cannot say. */
function hum(): Int16Array {
  const length = SAMPLE_RATE_HZ / 4;
  return Int16Array.from({ length }, (_, i) => {
    const swell = Math.sin((Math.PI * i) / length);
    return Math.round(2_000 * swell * Math.sin((2 * Math.PI * 180 * i) / SAMPLE_RATE_HZ));
  });
}
