import { FRAME_MS } from '../audio/frame.ts';
import { levelDbfs } from '../audio/level.ts';
import type { CallParts, VoiceActivity } from './call-parts.ts';
import { Floor } from './floor.ts';
import type { Speaker, VoiceInputEvent } from './ports.ts';
import { SpeakerHabits } from './speaker-habits.ts';
import { TurnDetector, type SpeechChange } from './turn-detector.ts';
import type { Turn } from './turn.ts';
import { UtteranceRecorder } from './utterance-recorder.ts';

/**
 * A silence of the whole room from which on its turn may be over: longer than the stops within words, shorter than any
 * pause at which people would expect an answer.
 */
const PAUSE_MS = 120;

/** What happens in the room. */
export interface Hearing {
  /** Somebody's voice. `inTurn`: they have spoken long enough that it is speech. */
  onVoice(speaker: Speaker, atMs: number, inTurn: boolean): void;
  /** The room has gone quiet for a moment. `turn`: what has been said, should it be over; it goes on otherwise. */
  onPause(turn: Turn): void;
  /** The room's turn is over. */
  onTurn(turn: Turn): void;
  /** Somebody does not want to be heard any more. */
  onWithdrawn(speakerId: string, atMs: number): void;
}

/** One person in the room: what we follow of them. */
interface Track {
  readonly speaker: Speaker;
  readonly activity: VoiceActivity;
  readonly detector: TurnDetector;
  readonly recorder: UtteranceRecorder;
  /**
   * Silence that has arrived since the last voice: frames without voice, or the client's word that it stopped. When packets
   * are only late, nothing has.
   */
  quietMs: number;
}

export type ListenerParts = Pick<
  CallParts,
  'rule' | 'adapts' | 'createVoiceActivity' | 'createEncoder' | 'echoes' | 'onSpeech' | 'clock'
>;

/** Hears everyone on their own track, and finds when the room speaks, pauses and has finished. */
export class Listener implements Disposable {
  readonly #parts: ListenerParts;
  readonly #hearing: Hearing;
  readonly #tracks = new Map<string, Track>();
  /** Outlive the tracks: who comes back to the call is known. */
  readonly #habits = new Map<string, SpeakerHabits>();
  readonly #floor = new Floor();
  /** The last voice of anybody who is in speech. */
  #lastVoicedAtMs = -Infinity;
  #isPaused = true;
  #timer: Disposable | undefined;
  /** What went wrong while nothing was heard. */
  #fault: { readonly error: unknown } | undefined;

  constructor(parts: ListenerParts, hearing: Hearing) {
    this.#parts = parts;
    this.#hearing = hearing;
  }

  /** Takes what comes in. Throws what has gone wrong with the sound, now or since the event before: the call is over then. */
  hear(event: VoiceInputEvent): void {
    if (this.#fault) throw this.#fault.error;
    switch (event.type) {
      case 'frame': {
        const { speaker, frame, atMs, pauseMs } = event;
        const track = this.#track(speaker);
        const isEcho = this.#parts.echoes.isEcho(speaker.id, levelDbfs(frame), atMs);
        const voiced = track.activity.isVoiced(frame) && !event.concealed && !isEcho;
        track.recorder.push({ frame, atMs, pauseMs, voiced });
        this.#follow(track, track.detector.frame(voiced, atMs));
        if (voiced) this.#voiced(track, atMs);
        else if (!event.concealed) track.quietMs += FRAME_MS;
        break;
      }
      case 'silence': {
        const track = this.#tracks.get(event.speaker.id);
        if (!track) break;
        track.detector.silence(event.atMs);
        track.quietMs = PAUSE_MS;
        break;
      }
      case 'gone': {
        const track = this.#tracks.get(event.speaker.id);
        if (!track) break;
        this.#follow(track, track.detector.end());
        this.#drop(track);
        break;
      }
      case 'withdrawn': {
        const { id } = event.speaker;
        const track = this.#tracks.get(id);
        if (track) this.#drop(track);
        this.#hearing.onWithdrawn(id, event.atMs);
        this.#close(this.#floor.withdraw(id));
        break;
      }
    }
    this.#schedule();
  }

  /** A turn that was over goes on after all: it opens the next one. */
  resume(turn: Turn): void {
    this.#floor.resume(turn);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    for (const track of this.#tracks.values()) this.#drop(track);
  }

  #voiced(track: Track, atMs: number): void {
    const { speaker, detector } = track;
    track.quietMs = 0;
    if (detector.inTurn) {
      this.#lastVoicedAtMs = atMs;
      this.#isPaused = false;
    }
    this.#hearing.onVoice(speaker, atMs, detector.inTurn);
  }

  #track(speaker: Speaker): Track {
    let track = this.#tracks.get(speaker.id);
    if (!track) {
      track = {
        speaker,
        activity: this.#parts.createVoiceActivity(),
        detector: new TurnDetector(this.#parts.rule, FRAME_MS, this.#habitsOf(speaker.id)),
        recorder: new UtteranceRecorder(speaker, this.#parts.createEncoder),
        quietMs: 0,
      };
      this.#tracks.set(speaker.id, track);
    }
    return track;
  }

  #habitsOf(speakerId: string): SpeakerHabits | undefined {
    if (!this.#parts.adapts) return undefined;
    const habits = this.#habits.get(speakerId) ?? new SpeakerHabits();
    this.#habits.set(speakerId, habits);
    return habits;
  }

  #drop(track: Track): void {
    this.#parts.echoes.forget(track.speaker.id);
    track.activity[Symbol.dispose]();
    this.#tracks.delete(track.speaker.id);
  }

  #follow(track: Track, change: SpeechChange | undefined): void {
    switch (change) {
      case undefined:
        break;
      case 'started':
        this.#parts.onSpeech();
        track.recorder.begin();
        this.#floor.started(track.speaker.id);
        break;
      case 'ended':
        this.#close(this.#floor.ended(track.speaker.id, track.recorder.end()));
        break;
    }
  }

  #close(turn: Turn | undefined): void {
    if (turn) this.#hearing.onTurn(turn);
  }

  /** Clients send nothing while they are silent, so pauses and ends are found by the clock. */
  #schedule(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const inTurn = [...this.#tracks.values()].filter(({ detector }) => detector.inTurn);
    if (inTurn.length === 0) return;
    const { clock } = this.#parts;
    const isQuiet = inTurn.every(({ quietMs }) => quietMs >= PAUSE_MS);
    const pauseAtMs = isQuiet && !this.#isPaused ? this.#lastVoicedAtMs + PAUSE_MS : Infinity;
    const dueAtMs = Math.min(pauseAtMs, ...inTurn.map(({ detector }) => detector.dueAtMs ?? Infinity));
    this.#timer = clock.after(Math.max(0, dueAtMs - clock.nowMs()), () => {
      try {
        this.#elapsed(inTurn, pauseAtMs);
      } catch (error) {
        // Thrown from a timer it would end the process.
        this.#fault = { error };
      }
    });
  }

  #elapsed(inTurn: readonly Track[], pauseAtMs: number): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const track of inTurn) this.#follow(track, track.detector.tick(nowMs));
    if (nowMs >= pauseAtMs) this.#pause();
    this.#schedule();
  }

  #pause(): void {
    this.#isPaused = true;
    const unfinished = [...this.#tracks.values()]
      .filter(({ detector }) => detector.inTurn)
      .flatMap(({ recorder }) => recorder.soFar() ?? []);
    // Nobody is in speech any more when the same moment ended the turn.
    const turn = unfinished.length > 0 ? this.#floor.preview(unfinished) : undefined;
    if (turn) this.#hearing.onPause(turn);
  }
}
