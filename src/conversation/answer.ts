import { FRAME_MS } from '../audio/frame.ts';
import { ModelError } from '../model/errors.ts';
import type { Conversation } from '../model/model.ts';
import { readAloud } from '../model/read-aloud.ts';
import type { Log } from '../telemetry/log.ts';
import { whenAborted } from '../time/aborted.ts';
import type { CallParts } from './call-parts.ts';
import { Loudness } from './loudness.ts';
import type { Caption } from './ports.ts';
import type { RememberedTurn, TurnEnding } from './remembered-turn.ts';
import { NO_CAPTIONS, SpokenReply, type ReplyOutcome } from './spoken-reply.ts';
import { recordsOf, type Turn, type Utterance } from './turn.ts';
import { endingOf } from './turn-ending.ts';
import type { TurnTimings } from './turn-timings.ts';

/**
 * `held`: asked for while it is still open whether the turn is over and for us; nobody hears of it. `withdrawn`: it never
 * happened, and what was said belongs to a later turn. `stopped`: people cut it; what was heard of it is kept.
 */
type AnswerState = 'held' | 'released' | 'withdrawn' | 'stopped' | 'ended';

export interface AnswerOptions {
  readonly parts: CallParts;
  readonly turn: Turn;
  /** Of the call's turns; a part of the turn's id. */
  readonly number: number;
  /** Answers to what became this turn that were asked for before and withdrawn. */
  readonly dropped: number;
  readonly callSignal: AbortSignal;
}

/** The answer to one turn, from the question to the last frame that is heard. */
export class Answer {
  readonly turn: Turn;
  /** Resolves when all of it is over and kept. Never rejects: people and the log are told what went wrong. */
  readonly ended: Promise<void>;
  readonly #options: AnswerOptions;
  readonly #log: Log;
  readonly #reply = new SpokenReply();
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  readonly #released = Promise.withResolvers<void>();
  readonly #loudness: Loudness;
  readonly #lastVoicedAtMs: number;
  readonly #times: {
    askedMs?: number;
    firstByteMs?: number;
    firstAudioMs?: number;
    endOfTurnMs?: number;
  } = {};
  /** Captions of what people said that wait for their words. */
  readonly #said: { readonly utterance: Utterance; readonly caption: Caption }[] = [];
  /** Keeps other sound of the call quiet. */
  #hold: Disposable | undefined;
  #wasHeld = false;
  #state: AnswerState = 'held';

  constructor(options: AnswerOptions) {
    const { turn, parts, callSignal, number } = options;
    this.turn = turn;
    this.#options = options;
    this.#log = parts.log.child({ turn: number });
    this.#signal = AbortSignal.any([callSignal, this.#controller.signal]);
    this.#lastVoicedAtMs = Math.max(...turn.utterances.map((utterance) => utterance.lastVoicedAtMs));
    this.#loudness = new Loudness((paused) => parts.onPhase(paused ? 'paused' : 'speaking'));
    this.ended = this.#run().finally(() => {
      this.#hold?.[Symbol.dispose]();
      if (this.#state === 'held' || this.#state === 'released') this.#state = 'ended';
    });
  }

  get state(): AnswerState {
    return this.#state;
  }

  /** How loud it is; for those who speak over it to turn down. */
  get loudness(): Loudness {
    return this.#loudness;
  }

  /** So little of it has been heard that it can still be withdrawn. */
  get barelyBegun(): boolean {
    return this.#reply.barelyBegun;
  }

  /** The turn is over, and for us: the answer may be heard. */
  release(): void {
    if (this.#state !== 'held') return;
    const { parts } = this.#options;
    this.#state = 'released';
    this.#wasHeld = this.#times.askedMs !== undefined;
    this.#times.endOfTurnMs = this.#sinceVoice();
    parts.onPhase('thinking');
    this.#hold = parts.interludes.hold();
    for (const utterance of this.turn.utterances) {
      const caption = parts.captions.begin(utterance.speaker);
      // Shows that they were heard, before their words are known.
      caption.show('…');
      this.#said.push({ utterance, caption });
    }
    this.#released.resolve();
  }

  /** Takes an answer back of which nobody has heard. */
  withdraw(): void {
    this.#end('withdrawn');
  }

  /** Cuts an answer that is being heard. */
  stop(): void {
    this.#end('stopped');
  }

  /** Nobody has heard of it, and nobody will: people went on, or the call is over. */
  get #isWithdrawn(): boolean {
    return this.#state === 'withdrawn' || (this.#state === 'held' && this.#signal.aborted);
  }

  #end(state: 'withdrawn' | 'stopped'): void {
    if (this.#state !== 'held' && this.#state !== 'released') return;
    this.#state = state;
    this.#controller.abort();
  }

  async #run(): Promise<void> {
    const { parts, turn, number } = this.#options;
    const { memory, captions, words, conversationId, guildId, shownIn, callId } = parts;
    let remembered: RememberedTurn | undefined;
    let ending: TurnEnding = { state: 'failed', reply: undefined, usage: undefined, failure: 'unexpected' };
    try {
      remembered = await memory.begin({
        id: `call:${callId}:${number}`,
        conversationId,
        guildId,
        shownIn,
        // When it was said: it may be asked much later, and what was forgotten between must not be kept.
        atMs: Date.now() - this.#sinceVoice(),
        utterances: recordsOf(turn),
      });
      if (!remembered) return;
      if (memory.shouldTell(conversationId)) captions.notice(words.memory.away);
      const conversation = await remembered.conversation('voice');
      const outcome = this.#isWithdrawn ? undefined : await this.#speak(conversation, remembered);
      if (this.#state === 'held') await Promise.race([this.#released.promise, whenAborted(this.#signal)]);
      if (!outcome || this.#isWithdrawn) {
        for (const { caption } of this.#said) void caption.discard();
        remembered.discard();
        return;
      }
      const isCut = this.#signal.aborted;
      ending = endingOf(outcome, isCut);
      this.#writeDown();
      this.#report(outcome, isCut);
      await remembered.end(ending);
    } catch (error) {
      this.#writeDown();
      this.#log.error({ err: error }, 'turn failed');
      captions.notice(words.errors.unexpected);
      // What was said is asked anew where nobody has heard that it was asked.
      if (this.#state === 'held' || this.#isWithdrawn) remembered?.discard();
      else await remembered?.end(ending);
    }
  }

  async #speak(conversation: Conversation, remembered: RememberedTurn): Promise<ReplyOutcome> {
    const { model, output, captions, settings, peopleCount, onPhase } = this.#options.parts;
    const { voice, answers } = settings();
    // A veto only: that a turn is for us is decided before, and where it cannot be anybody else's there is nothing to decline.
    const mayDecline = answers !== 'button' && peopleCount() > 1;
    const options = { output: 'voice', voice, mayDecline } as const;
    const released = this.#released.promise;
    const reply = {
      output,
      loudness: this.#loudness,
      released,
      begun: async (): Promise<void> => {
        this.#times.firstByteMs ??= this.#sinceVoice();
        if (!(await remembered.begun())) this.#controller.abort();
        void released.then(() => this.#writeDown());
      },
      onSound: () => void (this.#times.firstAudioMs ??= this.#sinceVoice()),
      onPlaying: () => onPhase('speaking'),
    };
    this.#times.askedMs = this.#sinceVoice();
    const events = model.respond(conversation, options, this.#signal);
    const outcome = await this.#reply.run({ ...reply, events, captions }, this.#signal);
    if (outcome.reached !== 'nothing') remembered.spoke(!outcome.silent);
    if (!outcome.silent || this.#signal.aborted) return outcome;
    // A model whose history is all words tends to answer in words: then it is given its own words to read.
    const read = model.respond(readAloud(outcome.text), { ...options, mayDecline: false }, this.#signal);
    const aloud = await new SpokenReply().run({ ...reply, events: read, captions: NO_CAPTIONS }, this.#signal);
    // Heard whole, it is named by its id: a history of spoken replies brings the model back to speaking.
    return { ...outcome, audio: aloud.audio, playback: aloud.playback };
  }

  /** Puts people's words where their captions are. Not before the reply has begun, which they wait for. */
  #writeDown(): void {
    const { memory } = this.#options.parts;
    for (const { utterance, caption } of this.#said.splice(0)) {
      const words = memory.wordsOf(utterance.speech, this.#options.callSignal);
      // Why there are none is in the log of those who keep the turn.
      void words.then(
        (text) => (text === '' ? caption.discard() : caption.finish(text)),
        () => caption.discard(),
      );
    }
  }

  #report(outcome: ReplyOutcome, isCut: boolean): void {
    const { parts, turn, dropped } = this.#options;
    const { captions, words } = parts;
    if (outcome.failure !== undefined) {
      this.#log.warn({ err: outcome.failure, reached: outcome.reached }, 'reply failed');
      captions.notice(
        outcome.failure instanceof ModelError ? words.modelErrors[outcome.failure.kind] : words.errors.unexpected,
      );
    } else if (!isCut && outcome.finish === 'filtered') {
      captions.notice(words.modelErrors['filtered-reply']);
    } else if (!isCut && outcome.reached === 'nothing' && (outcome.finish ?? 'declined') !== 'declined') {
      captions.notice(words.ask.noWords);
    }
    const { firstFrameAtMs, playedFrames } = outcome.playback;
    const timings: TurnTimings = {
      endOfTurnMs: this.#times.endOfTurnMs ?? 0,
      speculation: this.#wasHeld ? 'hit' : dropped > 0 ? 'miss' : 'off',
      dropped,
      askedMs: this.#times.askedMs,
      firstByteMs: this.#times.firstByteMs,
      firstAudioMs: this.#times.firstAudioMs,
      firstPacketMs: firstFrameAtMs === undefined ? undefined : Math.round(firstFrameAtMs - this.#lastVoicedAtMs),
      playedMs: playedFrames * FRAME_MS,
      heard: outcome.reached,
    };
    parts.onTimings(timings);
    this.#log.info(
      {
        speakers: new Set(turn.utterances.map((utterance) => utterance.speaker.id)).size,
        speechMs: turn.utterances.reduce((sum, utterance) => sum + utterance.speech.durationMs, 0),
        ...timings,
        interrupted: isCut,
        ...outcome.usage,
      },
      'turn ended',
    );
  }

  #sinceVoice(): number {
    return Math.round(this.#options.parts.clock.nowMs() - this.#lastVoicedAtMs);
  }
}
