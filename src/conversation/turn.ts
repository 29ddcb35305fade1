import type { Speech } from '../model/model.ts';
import type { UtteranceRecord } from '../store/turn-store.ts';
import type { Speaker } from './ports.ts';

/** One speaker's stretch of speech, on their own track. */
export interface Utterance {
  readonly speaker: Speaker;
  /** Monotonic time of its first frame. */
  readonly startedAtMs: number;
  /** Monotonic time of its last voiced frame. */
  readonly lastVoicedAtMs: number;
  /** Sound that was found to be voiced, in milliseconds. */
  readonly voicedMs: number;
  readonly speech: Speech;
}

/** What people said until the room fell silent: utterances in the order they began, never mixed. */
export interface Turn {
  readonly utterances: readonly Utterance[];
}

/** What is kept of a turn's utterances. */
export function recordsOf(turn: Turn): UtteranceRecord[] {
  const startedAtMs = turn.utterances[0]?.startedAtMs ?? 0;
  return turn.utterances.map((utterance) => ({
    speakerId: utterance.speaker.id,
    speakerName: utterance.speaker.name,
    offsetMs: Math.round(utterance.startedAtMs - startedAtMs),
    text: undefined,
    transcript: undefined,
    speech: utterance.speech,
  }));
}
