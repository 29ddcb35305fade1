import { concatSamples } from '../audio/pcm.ts';
import { Slots } from '../files/slots.ts';
import { UserError } from '../language/user-error.ts';
import { ModelError } from '../model/errors.ts';
import type { Model, ReplyDone } from '../model/model.ts';
import { readAloud, type ReadingManner } from '../model/read-aloud.ts';
import type { Log } from '../telemetry/log.ts';
import { sleep, type Clock } from '../time/clock.ts';
import { driftedWords, driftOf, type Drift } from './drift.ts';

const ATTEMPTS = 3;
const RETRY_AFTER_MS = 2_000;
/** A server may ask for a wait of a day, as Azure does beyond a quota: people rather hear of it. */
const MAX_WAIT_MS = 60_000;
/** Nobody waits for a single passage: what is not worth another attempt in a conversation is worth it here. */
const WORTH_ANOTHER = new Set<ModelError['kind']>(['truncated', 'malformed', 'timeout', 'server-fault']);
/** A text that was not read word for word is read once more. */
const READINGS = 2;

/** Passages of everybody that are read at a time, and that may wait: the conversation comes first. */
const PASSAGES_AT_ONCE = 4;
const MAX_WAITING = 64;

/** How and by whom a text is read. */
export interface Style extends Partial<ReadingManner> {
  /** A voice name the deployment accepts. `undefined`: the voice that Parley talks with. */
  readonly voice: string | undefined;
}

/** A text that has been read aloud. */
export interface Reading {
  /** 24 kHz mono. */
  readonly samples: Int16Array;
  /** The words that were said. */
  readonly said: string;
  /** Where they are not the text, even after a second reading. */
  readonly drift: Drift | undefined;
  readonly outputTokens: number;
}

export interface ReaderParts {
  readonly model: Pick<Model, 'respond'>;
  /** The voice that Parley talks with. */
  readonly voice: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reads texts aloud, word for word, and checks that it has. */
export class Reader {
  readonly #model: Pick<Model, 'respond'>;
  readonly #voice: string;
  readonly #slots = new Slots(PASSAGES_AT_ONCE, MAX_WAITING);
  readonly #clock: Clock;
  readonly #log: Log;

  constructor({ model, voice, clock, log }: ReaderParts) {
    this.#model = model;
    this.#voice = voice;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Reads a passage. What strays from it is read once more, and the reading that is nearer to the text is kept.
   * @param maxWaitMs the longest wait that a busy model may ask for.
   * @throws {UserError} when the model cannot; the signal's reason when it aborts.
   */
  async read(text: string, style: Style, signal: AbortSignal, maxWaitMs = MAX_WAIT_MS): Promise<Reading> {
    using slot = await this.#slots.take(signal);
    if (!slot) throw new UserError({ type: 'plain', id: 'busy' });
    let best: (Reading & { readonly distance: number }) | undefined;
    for (let reading = 1; reading <= READINGS; reading++) {
      const { samples, said, done } = await this.#patiently(text, style, signal, maxWaitMs);
      const drift = driftOf(text, said);
      const distance = samples.length === 0 ? Infinity : drift ? driftedWords(text, said) : 0;
      const outputTokens = (best?.outputTokens ?? 0) + (done?.usage?.outputTokens ?? 0);
      best =
        best && best.distance <= distance
          ? { ...best, outputTokens }
          : { samples, said, drift, outputTokens, distance };
      if (distance === 0) break;
      this.#log.info({ reading, characters: text.length, drifted: distance }, 'not read word for word');
    }
    if (!best || best.samples.length === 0) throw new UserError({ type: 'plain', id: 'no-sound' });
    return best;
  }

  async #patiently(text: string, style: Style, signal: AbortSignal, maxWaitMs: number): Promise<Spoken> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(text, style, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!(error instanceof ModelError)) throw error;
        const waitMs = error.retryAfterMs ?? RETRY_AFTER_MS * attempt;
        const isWorthAnother = error.shouldRetry() || WORTH_ANOTHER.has(error.kind);
        if (attempt === ATTEMPTS || !isWorthAnother || waitMs > maxWaitMs) {
          throw new UserError({ type: 'model', trouble: error.kind }, { cause: error });
        }
        this.#log.warn({ err: error, attempt }, 'passage not read');
        await sleep(this.#clock, waitMs, signal);
      }
    }
  }

  async #once(text: string, { voice = this.#voice, ...manner }: Style, signal: AbortSignal): Promise<Spoken> {
    const frames: Int16Array[] = [];
    let said = '';
    let done: ReplyDone | undefined;
    for await (const event of this.#model.respond(readAloud(text, manner), { output: 'voice', voice }, signal)) {
      switch (event.type) {
        case 'audio':
          frames.push(event.frame);
          break;
        case 'transcript':
          said += event.delta;
          break;
        case 'text':
          // Written, not said.
          break;
        case 'done':
          done = event;
          break;
      }
    }
    if (done?.finish === 'filtered') throw new UserError({ type: 'model', trouble: 'filtered-reply' });
    return { samples: concatSamples(frames), said, done };
  }
}

interface Spoken {
  readonly samples: Int16Array;
  readonly said: string;
  readonly done: ReplyDone | undefined;
}
