import { FRAME_MS } from '../audio/frame.ts';
import { FrameQueue } from '../audio/frame-queue.ts';
import { ModelError } from '../model/errors.ts';
import type { Conversation } from '../model/model.ts';
import { readAloud } from '../model/read-aloud.ts';
import type { Log } from '../telemetry/log.ts';
import { BargeIn } from './barge-in.ts';
import type { CallParts, VoiceActivity } from './call-parts.ts';
import { Floor } from './floor.ts';
import type { RunningCall, Speaker, VoiceInputEvent } from './ports.ts';
import type { RememberedTurn } from './remembered-turn.ts';
import { NO_CAPTIONS, SpokenReply, type ReplyOutcome } from './spoken-reply.ts';
import { TurnDetector, type SpeechChange } from './turn-detector.ts';
import { recordsOf, type Turn } from './turn.ts';
import { endingOf } from './turn-ending.ts';
import { UtteranceRecorder } from './utterance-recorder.ts';

/** Turns waiting for their answer. More than this and the oldest goes: the room has moved on. */
const MAX_WAITING_TURNS = 4;

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
  /** It was called off before anybody heard of it: what was said belongs to the next turn. */
  isResumed: boolean;
}

/**
 * Our presence in one voice channel: hears everyone on their own track, finds whose turn it is, answers aloud, and gives
 * way when someone speaks over the answer.
 */
export class Call implements RunningCall {
  readonly ended: Promise<void>;
  readonly #parts: CallParts;
  readonly #tracks = new Map<string, Track>();
  readonly #floor = new Floor();
  readonly #turns = new FrameQueue<Turn>(MAX_WAITING_TURNS);
  /** When somebody said that they do not want to be heard: what they said until then is dropped. */
  readonly #withdrawnAtMs = new Map<string, number>();
  #answering: Answering | undefined;
  #timer: Disposable | undefined;
  #turnNumber = 0;

  /** Listens and answers until the signal aborts; the answer then in the making ends with it. */
  constructor(parts: CallParts, signal: AbortSignal) {
    this.#parts = parts;
    this.ended = this.#run(signal);
  }

  stop(): void {
    this.#answering?.controller.abort();
  }

  address(_personId: string): void {
    // Everyone is answered.
  }

  async #run(signal: AbortSignal): Promise<void> {
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
        this.#drop(track);
        break;
      case 'withdrawn': {
        this.#drop(track);
        this.#withdrawnAtMs.set(event.speaker.id, event.atMs);
        this.#callOff(event.speaker.id);
        const turn = this.#floor.withdraw(event.speaker.id);
        if (turn) this.#turns.offer(turn);
        break;
      }
    }
    this.#schedule();
  }

  #drop(track: Track): void {
    track.activity[Symbol.dispose]();
    this.#tracks.delete(track.speaker.id);
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
    this.#parts.interludes.voiced(speaker.id, atMs);
    const answering = this.#answering;
    if (!answering || answering.controller.signal.aborted || !answering.bargeIn.voiced(speaker.id, atMs)) return;
    // Only a turn that has begun will also end, and bring back what is put aside here.
    if (!detector.inTurn) return;
    // Nobody has heard anything yet: they had only paused. What they said so far belongs to the turn they are in.
    if (answering.reply.barelyBegun) this.#resume(answering);
    else answering.controller.abort();
  }

  /** Drops an answer that has not begun to somebody who does not want to be heard; the others are answered anew. */
  #callOff(speakerId: string): void {
    const answering = this.#answering;
    if (!answering?.turn.utterances.some(({ speaker }) => speaker.id === speakerId)) return;
    if (answering.reply.barelyBegun && !answering.controller.signal.aborted) this.#resume(answering);
  }

  #resume(answering: Answering): void {
    answering.isResumed = true;
    this.#floor.resume(answering.turn);
    answering.controller.abort();
  }

  async #answerTurns(signal: AbortSignal): Promise<void> {
    for await (const { utterances } of this.#turns) {
      if (signal.aborted) return;
      const wanted = utterances.filter(
        ({ speaker, startedAtMs }) => startedAtMs > (this.#withdrawnAtMs.get(speaker.id) ?? -Infinity),
      );
      if (wanted.length > 0) await this.#answer({ utterances: wanted }, signal);
    }
  }

  /** Never rejects: a turn that cannot be answered is told to the room and to the log. */
  async #answer(turn: Turn, callSignal: AbortSignal): Promise<void> {
    const { memory, captions, words, conversationId, guildId, callId } = this.#parts;
    const number = ++this.#turnNumber;
    const log = this.#parts.log.child({ turn: number });
    const controller = new AbortController();
    const signal = AbortSignal.any([callSignal, controller.signal]);
    const reply = new SpokenReply();
    const answering = (this.#answering = { turn, reply, bargeIn: new BargeIn(), controller, isResumed: false });
    using _hold = this.#parts.interludes.hold();
    try {
      const remembered = await memory.begin({
        id: `call:${callId}:${number}`,
        conversationId,
        guildId,
        atMs: Date.now(),
        utterances: recordsOf(turn),
      });
      if (!remembered) return;
      if (memory.shouldTell(conversationId)) captions.notice(words.memory.away);
      const conversation = await remembered.conversation('voice');
      const outcome = await this.#speak(conversation, answering, remembered, signal);
      const cut = answering.isResumed ? 'resumed' : signal.aborted ? 'interrupted' : undefined;
      this.#report(log, turn, outcome, cut !== undefined);
      await remembered.end(endingOf(outcome, cut));
    } catch (error) {
      log.error({ err: error }, 'turn failed');
      captions.notice(words.errors.unexpected);
    } finally {
      this.#answering = undefined;
    }
  }

  async #speak(
    conversation: Conversation,
    { reply, controller }: Answering,
    remembered: RememberedTurn,
    signal: AbortSignal,
  ): Promise<ReplyOutcome> {
    const { model, output, captions, settings } = this.#parts;
    const { voice } = settings();
    const options = { output: 'voice', voice } as const;
    const begun = async (): Promise<void> => {
      if (!(await remembered.begun())) controller.abort();
    };
    const outcome = await reply.run(
      { events: model.respond(conversation, options, signal), output, captions, begun },
      signal,
    );
    if (outcome.reached !== 'nothing') remembered.spoke(!outcome.silent);
    if (!outcome.silent || signal.aborted) return outcome;
    // A model whose history is all words tends to answer in words: then it is given its own words to read.
    const aloud = await new SpokenReply().run(
      { events: model.respond(readAloud(outcome.text), options, signal), output, captions: NO_CAPTIONS, begun },
      signal,
    );
    // Heard whole, it is named by its id: a history of spoken replies brings the model back to speaking.
    return { ...outcome, audio: aloud.audio, playback: aloud.playback };
  }

  #report(log: Log, turn: Turn, outcome: ReplyOutcome, interrupted: boolean): void {
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
        firstSoundMs: firstFrameAtMs === undefined ? undefined : Math.round(firstFrameAtMs - lastVoicedAtMs),
        playedMs: playedFrames * FRAME_MS,
        reached: outcome.reached,
        interrupted,
        ...outcome.usage,
      },
      'turn ended',
    );
  }
}
