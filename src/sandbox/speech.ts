import { Worker } from 'node:worker_threads';

import { SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { concatSamples } from '../audio/pcm.ts';
import { monotonicClock } from '../time/clock.ts';
import type { Clock } from '../time/clock.ts';
import type { SandboxVoice } from './control/protocol.ts';
import { splitSentences } from './speech/sentences.ts';
import type { SpeechAnswer, SpeechJob, SpeechRequest } from './speech/worker.ts';

/** Pause between two sentences. */
const SENTENCE_PAUSE_MS = 200;
/** Longer texts are cut here: about five minutes of speech. */
const MAX_TEXT_CHARACTERS = 4_000;
/** Sound kept for texts that are asked for again. */
const MAX_CACHED_SAMPLES = 10 * 60 * SAMPLE_RATE_HZ;
/** Jobs that may wait; more are refused. A long text is many jobs. */
const MAX_WAITING = 200;
/** A job that takes longer is stuck: the thread is ended, and the next job starts another. */
const JOB_DEADLINE_MS = 60_000;

/** The synthesiser could not do its work: it is overrun, disposed, or its thread has failed. */
export class SpeechError extends Error {
  override readonly name = 'SpeechError';
}

interface Waiting {
  readonly resolve: (value: Int16Array | string | undefined) => void;
  readonly reject: (error: Error) => void;
}

/**
 * English speech, offline. It works in a thread of its own, which starts with the first request and does one after the
 * other, so that whoever keeps 20 ms beats on the main thread is not disturbed.
 */
export class Synthesizer implements AsyncDisposable {
  readonly #clock: Clock;
  /** Newest last. */
  readonly #cache = new Map<string, Promise<Int16Array>>();
  readonly #cachedSamples = new Map<string, number>();
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #nextId = 1;
  #disposed = false;

  constructor(clock: Clock = monotonicClock) {
    this.#clock = clock;
  }

  /**
   * Speaks a text: 24 kHz mono, with 50 ms of silence at both ends. What the synthesiser cannot say is left out; a
   * sentence of which nothing is left becomes a short soft tone. An empty text is an empty sound.
   * @throws {SpeechError} when the synthesiser itself has failed, never for what the text is.
   */
  async synthesize(text: string, voice: SandboxVoice = 'slt'): Promise<Int16Array> {
    const sentences = splitSentences(text.slice(0, MAX_TEXT_CHARACTERS));
    const spoken = await Promise.all(sentences.map((sentence) => this.#sentence(sentence, voice)));
    const pause = new Int16Array((SAMPLE_RATE_HZ * SENTENCE_PAUSE_MS) / 1000);
    return concatSamples(spoken.flatMap((sound, index) => (index === 0 ? [sound] : [pause, sound])));
  }

  /**
   * The words in a sound (24 kHz mono), when it is something this synthesiser has lately spoken, in any loudness and
   * after a codec; several sentences in their order. It does not recognise other speech: then `undefined`.
   * @throws {SpeechError}
   */
  async recognize(samples: Int16Array): Promise<string | undefined> {
    const value = await this.#ask({ kind: 'recognize', samples });
    return typeof value === 'string' ? value : undefined;
  }

  /** Starts the thread and resolves when it can speak without delay. */
  async warmUp(): Promise<void> {
    await this.#ask({ kind: 'load' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.ref();
    worker.postMessage(null, []);
    using _deadline = this.#clock.after(5_000, () => void worker.terminate());
    await gone;
  }

  #sentence(sentence: string, voice: SandboxVoice): Promise<Int16Array> {
    const key = `${voice} ${sentence}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined) {
      this.#cache.delete(key);
      this.#cache.set(key, cached);
      return cached;
    }
    const spoken = this.#ask({ kind: 'synthesize', sentence, voice }).then((value) => {
      if (!(value instanceof Int16Array)) throw new SpeechError('the synthesiser gave no sound');
      this.#cachedSamples.set(key, value.length);
      this.#forgetOldest();
      return value;
    });
    this.#cache.set(key, spoken);
    spoken.catch(() => this.#cache.delete(key));
    return spoken;
  }

  #forgetOldest(): void {
    let total = 0;
    for (const samples of this.#cachedSamples.values()) total += samples;
    for (const key of this.#cache.keys()) {
      if (total <= MAX_CACHED_SAMPLES) return;
      total -= this.#cachedSamples.get(key) ?? 0;
      this.#cachedSamples.delete(key);
      this.#cache.delete(key);
    }
  }

  async #ask(job: SpeechJob): Promise<Int16Array | string | undefined> {
    if (this.#disposed) throw new SpeechError('the synthesiser is disposed');
    if (this.#waiting.size >= MAX_WAITING) throw new SpeechError('too many requests are waiting for the synthesiser');
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Int16Array | string | undefined>();
    this.#waiting.set(id, { resolve, reject });
    // Only while something waits does the thread keep the process alive.
    worker.ref();
    worker.postMessage({ id, job } satisfies SpeechRequest, []);
    using _deadline = this.#clock.after(JOB_DEADLINE_MS, () => void worker.terminate());
    return await promise;
  }

  #start(): Worker {
    // node:wasi announces that it is experimental; nothing else in that thread is.
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    const worker = new Worker(new URL('./speech/worker.ts', import.meta.url), { execArgv });
    worker.on('message', (answer: SpeechAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0 && !this.#disposed) worker.unref();
      if (answer.ok) waiting?.resolve(answer.value);
      else waiting?.reject(new SpeechError(answer.message));
    });
    const fail = (error: SpeechError): void => {
      if (this.#worker === worker) this.#worker = undefined;
      // The next thread knows none of what this one has spoken: it must speak it again to know it again.
      this.#cache.clear();
      this.#cachedSamples.clear();
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    worker.on('error', (cause) => fail(new SpeechError('the synthesiser has failed', { cause })));
    worker.on('exit', () => fail(new SpeechError('the synthesiser has ended')));
    return worker;
  }
}

/** A synthesiser that gets ready at once, so that the first words come without delay. */
export function createSynthesizer(): Synthesizer {
  const synthesizer = new Synthesizer();
  // A failure to start is told to whoever asks for speech.
  synthesizer.warmUp().catch(() => undefined);
  return synthesizer;
}
