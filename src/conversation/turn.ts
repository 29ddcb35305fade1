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

/**
 * A turn that goes on longer is over anyway as soon as one of those who speak pauses, and is answered though people speak on:
 * in a lively room, or beside a microphone with music, nobody would be answered otherwise, and what was said would be gathered
 * without end. A little less than the longest that one person speaks (`maxTurnMs`), which is then as long.
 */
const MAX_TURN_MS = 115_000;

/** Whether so much has been said in a row that it is a turn, whoever speaks on. */
export function isLong(said: readonly Utterance[]): boolean {
  const beganAtMs = Math.min(...said.map(({ startedAtMs }) => startedAtMs));
  return Math.max(...said.map(({ lastVoicedAtMs }) => lastVoicedAtMs)) - beganAtMs >= MAX_TURN_MS;
}

/** Whether two turns hold the same speech, but for silence at the end. */
export function isSameTurn(one: Turn, other: Turn): boolean {
  return (
    one.utterances.length === other.utterances.length &&
    one.utterances.every((utterance, index) => {
      const twin = other.utterances[index];
      return (
        twin?.speaker.id === utterance.speaker.id &&
        twin.startedAtMs === utterance.startedAtMs &&
        twin.voicedMs === utterance.voicedMs
      );
    })
  );
}

/** Two turns as one, in the order in which people began. */
export function joined(one: Turn | undefined, other: Turn): Turn {
  const utterances = [...(one?.utterances ?? []), ...other.utterances];
  return { utterances: utterances.toSorted((a, b) => a.startedAtMs - b.startedAtMs) };
}

/** What is kept of a turn's utterances: the words, where they are known, in place of the sound. */
export function recordsOf(turn: Turn, wordsOf: (utterance: Utterance) => string | undefined = () => undefined) {
  const startedAtMs = turn.utterances[0]?.startedAtMs ?? 0;
  return turn.utterances.map((utterance): UtteranceRecord => {
    const transcript = wordsOf(utterance);
    return {
      speakerId: utterance.speaker.id,
      speakerName: utterance.speaker.name,
      offsetMs: Math.round(utterance.startedAtMs - startedAtMs),
      text: undefined,
      transcript,
      speech: transcript === undefined ? utterance.speech : undefined,
    };
  });
}
