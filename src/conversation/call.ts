import { FRAME_MS, type Frame } from '../audio/frame.ts';
import { FrameQueue } from '../audio/frame-queue.ts';
import type { Words } from '../language/words.ts';
import { ModelError } from '../model/errors.ts';
import type { Model } from '../model/model.ts';
import type { StoredUtterance } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { BargeIn } from './barge-in.ts';
import { Floor } from './floor.ts';
import type { History } from './history.ts';
import type { Captions, Speaker, VoiceInput, VoiceInputEvent, VoiceOutput } from './ports.ts';
import { SpokenReply, type ReplyOutcome } from './spoken-reply.ts';
import { TurnDetector, type SpeechChange, type TurnDetectorOptions } from './turn-detector.ts';
import type { Turn } from './turn.ts';
import { UtteranceRecorder, type SpeechEncoder } from './utterance-recorder.ts';

/** Turns waiting for their answer. More than this and the oldest goes: the room has moved on. */
const MAX_WAITING_TURNS = 4;

/** Tells speech from other sound, for one speaker. */
export interface VoiceActivity extends Disposable {
  isVoiced(frame: Frame): boolean;
}

/** What a call needs. */
export interface CallParts {
  /** The channel whose conversation this is. */
  readonly conversationId: string;
  readonly input: VoiceInput;
  readonly output: VoiceOutput;
  readonly captions: Captions;
  readonly model: Model;
  readonly history: History;
  readonly voice: string;
  readonly words: Words;
  readonly rule: TurnDetectorOptions;
  readonly createVoiceActivity: () => VoiceActivity;
  readonly createEncoder: () => SpeechEncoder;
  readonly clock: Clock;
  readonly log: Log;
}

/** One person in the room: what we follow of them. */
interface Track {
  readonly speaker: Speaker;
  readonly activity: VoiceActivity;
  readonly detector: TurnDetector;
  readonly recorder: UtteranceRecorder;
}

/** The answer in the making. */
interface Answering {
  readonly turn: Turn;
  readonly reply: SpokenReply;
  readonly bargeIn: BargeIn;
  readonly controller: AbortController;
}

/**
 * Our presence in one voice channel: hears everyone on their own track, finds whose turn it is, answers aloud, and gives
 * way when someone speaks over the answer.
 */
export class Call {
  readonly #parts: CallParts;
  readonly #tracks = new Map<string, Track>();
  readonly #floor = new Floor();
  readonly #turns = new FrameQueue<Turn>(MAX_WAITING_TURNS);
  #answering: Answering | undefined;
  #timer: Disposable | undefined;
  #turnNumber = 0;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /** Listens and answers until the signal aborts; the answer then in the making ends with it. */
  async run(signal: AbortSignal): Promise<void> {
    const answering = this.#answerTurns(signal);
    try {
      for await (const event of this.#parts.input.listen(signal)) this.#hear(event);
    } finally {
      this.#timer?.[Symbol.dispose]();
      this.#turns.end();
      await answering;
      for (const track of this.#tracks.values()) track.activity[Symbol.dispose]();
    }
  }

  #hear(event: VoiceInputEvent): void {
    const track = this.#track(event.speaker);
    switch (event.type) {
      case 'frame': {
        const { frame, atMs, pauseMs } = event;
        const voiced = !event.concealed && track.activity.isVoiced(frame);
        track.recorder.push({ frame, atMs, pauseMs, voiced });
        this.#follow(track, track.detector.frame(voiced, atMs));
        if (voiced) this.#maybeGiveWay(track, atMs);
        break;
      }
      case 'silence':
        // A hint that the fixed rule does not use: clients also send silence at pauses within a sentence.
        break;
      case 'gone':
        this.#follow(track, track.detector.end());
        track.activity[Symbol.dispose]();
        this.#tracks.delete(event.speaker.id);
        break;
    }
    this.#schedule();
  }

  #track(speaker: Speaker): Track {
    let track = this.#tracks.get(speaker.id);
    if (!track) {
      track = {
        speaker,
        activity: this.#parts.createVoiceActivity(),
        detector: new TurnDetector(this.#parts.rule, FRAME_MS),
        recorder: new UtteranceRecorder(speaker, this.#parts.createEncoder),
      };
      this.#tracks.set(speaker.id, track);
    }
    return track;
  }

  #follow(track: Track, change: SpeechChange | undefined): void {
    switch (change) {
      case undefined:
        break;
      case 'started':
        track.recorder.begin();
        this.#floor.started(track.speaker.id);
        break;
      case 'ended': {
        const turn = this.#floor.ended(track.speaker.id, track.recorder.end());
        if (turn) this.#turns.offer(turn);
        break;
      }
    }
  }

  /** Clients send nothing while they are silent, so the end of a turn is found by the clock. */
  #schedule(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const dueAtMs = Math.min(...[...this.#tracks.values()].map((track) => track.detector.dueAtMs ?? Infinity));
    if (dueAtMs === Infinity) return;
    const { clock } = this.#parts;
    this.#timer = clock.after(Math.max(0, dueAtMs - clock.nowMs()), () => {
      for (const track of this.#tracks.values()) this.#follow(track, track.detector.tick(clock.nowMs()));
      this.#schedule();
    });
  }

  /** Someone speaks while we answer: stop, once it is more than a cough. */
  #maybeGiveWay({ speaker, detector }: Track, atMs: number): void {
    const answering = this.#answering;
    if (!answering || answering.controller.signal.aborted || !answering.bargeIn.voiced(speaker.id, atMs)) return;
    // Only a turn that has begun will also end, and bring back what is put aside here.
    if (!detector.inTurn) return;
    // Nobody has heard anything yet: they had only paused. What they said so far belongs to the turn they are in.
    if (answering.reply.barelyBegun) this.#floor.resume(answering.turn);
    answering.controller.abort();
  }

  async #answerTurns(signal: AbortSignal): Promise<void> {
    for await (const turn of this.#turns) {
      if (signal.aborted) return;
      await this.#answer(turn, signal);
    }
  }

  /** Never rejects: a turn that cannot be answered is told to the room and to the log. */
  async #answer(turn: Turn, callSignal: AbortSignal): Promise<void> {
    const { history, model, output, captions, words, conversationId, clock } = this.#parts;
    const log = this.#parts.log.child({ turn: ++this.#turnNumber });
    const controller = new AbortController();
    const signal = AbortSignal.any([callSignal, controller.signal]);
    const reply = new SpokenReply();
    const askedAtMs = clock.nowMs();
    this.#answering = { turn, reply, bargeIn: new BargeIn(), controller };
    try {
      const utterances = stored(turn);
      const conversation = await history.conversation(conversationId, utterances);
      const events = model.respond(conversation, { output: 'voice', voice: this.#parts.voice }, signal);
      const outcome = await reply.run(events, output, captions, signal);
      this.#report(log, turn, outcome, askedAtMs, controller.signal.aborted);
      const calledOff = outcome.reached === 'nothing' && controller.signal.aborted;
      if (calledOff) return;
      await history.record(conversationId, {
        atMs: Date.now(),
        utterances,
        reply: outcome.reached === 'nothing' ? undefined : { text: outcome.text, audio: outcome.audio },
      });
    } catch (error) {
      log.error({ err: error }, 'turn failed');
      captions.notice(words.errors.unexpected);
    } finally {
      this.#answering = undefined;
    }
  }

  #report(log: Log, turn: Turn, outcome: ReplyOutcome, askedAtMs: number, interrupted: boolean): void {
    const { captions, words } = this.#parts;
    if (outcome.failure !== undefined) {
      log.warn({ err: outcome.failure, reached: outcome.reached }, 'reply failed');
      captions.notice(
        outcome.failure instanceof ModelError ? words.modelErrors[outcome.failure.kind] : words.errors.unexpected,
      );
    } else if (!interrupted && outcome.finish === 'filtered') {
      captions.notice(words.modelErrors['filtered-reply']);
    } else if (!interrupted && outcome.reached === 'nothing' && outcome.finish !== undefined) {
      captions.notice(words.ask.noWords);
    }
    const lastVoicedAtMs = Math.max(...turn.utterances.map((utterance) => utterance.lastVoicedAtMs));
    const { firstFrameAtMs, playedFrames } = outcome.playback;
    log.info(
      {
        speakers: new Set(turn.utterances.map((utterance) => utterance.speaker.id)).size,
        speechMs: turn.utterances.reduce((sum, utterance) => sum + utterance.speech.durationMs, 0),
        endOfTurnMs: Math.round(askedAtMs - lastVoicedAtMs),
        firstSoundMs: firstFrameAtMs === undefined ? undefined : Math.round(firstFrameAtMs - askedAtMs),
        playedMs: playedFrames * FRAME_MS,
        reached: outcome.reached,
        interrupted,
        ...outcome.usage,
      },
      'turn ended',
    );
  }
}

function stored(turn: Turn): StoredUtterance[] {
  const startedAtMs = turn.utterances[0]?.startedAtMs ?? 0;
  return turn.utterances.map((utterance) => ({
    speakerId: utterance.speaker.id,
    speakerName: utterance.speaker.name,
    offsetMs: Math.round(utterance.startedAtMs - startedAtMs),
    text: undefined,
    speech: utterance.speech,
  }));
}
