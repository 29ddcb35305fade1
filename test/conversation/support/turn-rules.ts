import { FRAME_MS } from '../../../src/audio/frame.ts';
import { SpeakerHabits } from '../../../src/conversation/speaker-habits.ts';
import { FIXED_RULE, TurnDetector } from '../../../src/conversation/turn-detector.ts';
import { play, recordedSpeakers, together, type Population, type RecordedSpeaker } from './recorded-turns.ts';

/** Turns of each speaker; a draw is twelve speakers, so 300 turns. */
const TURNS_EACH = 25;
const DRAWS = 10;

/** What is assumed of people beyond the pauses that are known, one assumption after the other. */
export const POPULATIONS = {
  'all alike, open microphones': { betweenSpeakers: 0, pauseRateSpread: 0, pushToTalk: 0 },
  'people differ': { betweenSpeakers: 0.4, pauseRateSpread: 0.7, pushToTalk: 0 },
  'people differ, a quarter press a key': { betweenSpeakers: 0.4, pauseRateSpread: 0.7, pushToTalk: 1 / 4 },
  'people differ, half press a key': { betweenSpeakers: 0.4, pauseRateSpread: 0.7, pushToTalk: 1 / 2 },
} as const satisfies Record<string, Omit<Population, 'turnsEach'>>;

/** What the adaptive rule does, and the fixed one that takes as many pauses for the end. */
export interface Comparison {
  readonly turns: number;
  readonly pauses: number;
  /** Pauses of 200 ms and more within a turn that were taken for its end, as a share of all of them. */
  readonly cutOff: number;
  /** Turns with at least one such pause. */
  readonly turnsCut: number;
  readonly meanMs: number;
  readonly medianMs: number;
  readonly fixedMs: number;
  /** The share of pauses that a fixed rule of one second takes for the end. */
  readonly cutOffAtSecond: number;
}

export function speakersOf(name: keyof typeof POPULATIONS): RecordedSpeaker[] {
  const population = { ...POPULATIONS[name], turnsEach: TURNS_EACH };
  return Array.from({ length: DRAWS }, (_, draw) => recordedSpeakers(population, draw + 1)).flat();
}

export function compareRules(speakers: readonly RecordedSpeaker[]): Comparison {
  const ours = together(
    speakers.map((speaker) => play(new TurnDetector(FIXED_RULE, FRAME_MS, new SpeakerHabits()), speaker)),
  );
  const cutOff = ours.cutOffs / ours.pauses;
  const delaysMs = ours.delaysMs.toSorted((a, b) => a - b);
  return {
    turns: delaysMs.length,
    pauses: ours.pauses,
    cutOff,
    turnsCut: ours.turnsCut / delaysMs.length,
    meanMs: delaysMs.reduce((sum, delayMs) => sum + delayMs, 0) / delaysMs.length,
    medianMs: delaysMs[Math.floor(delaysMs.length / 2)] ?? Number.NaN,
    fixedMs: fixedWaitFor(speakers, cutOff),
    cutOffAtSecond: fixedCutOff(speakers, 1000),
  };
}

/** The share of pauses that a fixed silence takes for the end. */
export function fixedCutOff(speakers: readonly RecordedSpeaker[], silenceMs: number): number {
  const rule = { ...FIXED_RULE, silenceMs };
  const fixed = together(speakers.map((speaker) => play(new TurnDetector(rule, FRAME_MS), speaker)));
  return fixed.cutOffs / fixed.pauses;
}

/** The shortest fixed silence, in whole frames, that takes no more than this share of pauses for the end. */
function fixedWaitFor(speakers: readonly RecordedSpeaker[], cutOff: number): number {
  let shortMs = FRAME_MS;
  let longMs = 5000;
  while (longMs - shortMs > FRAME_MS) {
    const middleMs = Math.round((shortMs + longMs) / 2 / FRAME_MS) * FRAME_MS;
    if (fixedCutOff(speakers, middleMs) <= cutOff) longMs = middleMs;
    else shortMs = middleMs;
  }
  return longMs;
}
