import { FRAME_MS } from '../../../src/audio/frame.ts';
import type { TurnDetector } from '../../../src/conversation/turn-detector.ts';
import { seededRandom, type Random } from '../../../src/sandbox/voice/random.ts';

/**
 * Turns as people speak them, drawn by a seed. What is known: the pauses of 200 ms and more within 400 English turns to
 * voice agents (LiveKit's eot-bench): 1.76 a turn, of which 55.6 % last longer than 300 ms, 21.7 % than 600, 10 % than
 * 1000 and 5 % than 1600. `200 ms + a log-normal of median 123 ms, spread 1.48` has 55.7, 21.3, 10.3 and 5.0 %.
 *
 * What that does not say is assumed, and stated with every result: how much people differ, and who presses a key.
 */
export interface Population {
  readonly turnsEach: number;
  /** Share of the pauses' log variance that lies between speakers rather than within each: 0, all pause alike. */
  readonly betweenSpeakers: number;
  /**
   * How much speakers differ in how often they pause: the coefficient of variation of their pauses per turn. Within a
   * speaker the count is geometric: after each pause it is as likely as before that another follows.
   */
  readonly pauseRateSpread: number;
  /**
   * Share of speakers who press a key to talk: they hold it while they think, and let go up to 300 ms after their last
   * word. The others' clients stop sending 200 to 400 ms into every silence, at a time that is each client's own.
   */
  readonly pushToTalk: number;
}

const PAUSES_PER_TURN = 1.76;
const PAUSE_FROM_MS = 200;
const MEDIAN_MS = 123.4;
const LOG_SPREAD = 1.48;

export interface RecordedTurn {
  /** Speech and the pause after it, in milliseconds; the last pause is the end of the turn. */
  readonly stretches: readonly { readonly speechMs: number; readonly pauseMs: number }[];
}

export interface RecordedSpeaker {
  readonly turns: readonly RecordedTurn[];
  readonly pushesToTalk: boolean;
  /** From the last voice to where the client stops sending, for the pauses in order. */
  readonly tailMs: () => number;
}

/** Nobody goes on within this after a turn: the answer is being heard. */
const AFTER_TURN_MS = 5000;

/** Twelve people as far from the usual as the twelfths of a normal distribution; their squares add up to twelve. */
const PEOPLE = [-1.83, -1.21, -0.86, -0.58, -0.34, -0.11, 0.11, 0.34, 0.58, 0.86, 1.21, 1.83];

export function recordedSpeakers(population: Population, seed: number): RecordedSpeaker[] {
  const random = seededRandom(seed);
  const pace = shuffled(PEOPLE, random);
  const fluency = shuffled(PEOPLE, random);
  return PEOPLE.map((_, index) => {
    const traits = { pace: pace[index] ?? 0, fluency: fluency[index] ?? 0 };
    return recordedSpeaker(population, traits, index < Math.round(PEOPLE.length * population.pushToTalk), random);
  });
}

/** `pace` and `fluency`: standard deviations by which this speaker pauses longer and more often than usual. */
function recordedSpeaker(
  { betweenSpeakers, pauseRateSpread, turnsEach }: Population,
  { pace, fluency }: { readonly pace: number; readonly fluency: number },
  pushesToTalk: boolean,
  random: Random,
): RecordedSpeaker {
  const median = Math.log(MEDIAN_MS) + LOG_SPREAD * Math.sqrt(betweenSpeakers) * pace;
  const spread = LOG_SPREAD * Math.sqrt(1 - betweenSpeakers);
  const rateVariance = Math.log(1 + pauseRateSpread ** 2);
  const pausesPerTurn = PAUSES_PER_TURN * Math.exp(Math.sqrt(rateVariance) * fluency - rateVariance / 2);
  const hangOverMs = 200 + 200 * random();
  const turns = Array.from({ length: turnsEach }, (): RecordedTurn => {
    const pauses = Math.floor(Math.log(1 - random()) / Math.log(pausesPerTurn / (1 + pausesPerTurn)));
    return {
      stretches: Array.from({ length: pauses + 1 }, (_, place) => ({
        speechMs: 400 + 2600 * random(),
        pauseMs: place === pauses ? AFTER_TURN_MS : PAUSE_FROM_MS + Math.exp(median + spread * normal(random)),
      })),
    };
  });
  return { turns, pushesToTalk, tailMs: () => (pushesToTalk ? 300 * random() : hangOverMs) };
}

/** What a rule made of the turns. */
export interface Played {
  /** Silence from the last voiced frame to the end of the turn, for each turn. */
  readonly delaysMs: readonly number[];
  readonly pauses: number;
  readonly cutOffs: number;
  readonly turnsCut: number;
}

/** Steps through everything a speaker says, frame by frame. */
export function play(detector: TurnDetector, speaker: RecordedSpeaker): Played {
  const delaysMs: number[] = [];
  const counts = { pauses: 0, cutOffs: 0, turnsCut: 0 };
  let nowMs = 0;
  for (const { stretches } of speaker.turns) {
    let turnCut = false;
    for (const [place, { speechMs, pauseMs }] of stretches.entries()) {
      for (const untilMs = nowMs + speechMs; nowMs < untilMs; nowMs += FRAME_MS) detector.frame(true, nowMs);
      const isEnd = place === stretches.length - 1;
      const endedAfterMs = pause(detector, { speaker, isEnd, pauseMs, fromMs: nowMs });
      nowMs += Math.ceil(pauseMs / FRAME_MS) * FRAME_MS;
      if (isEnd) {
        delaysMs.push(endedAfterMs ?? AFTER_TURN_MS);
      } else {
        counts.pauses++;
        if (endedAfterMs === undefined) continue;
        counts.cutOffs++;
        turnCut = true;
      }
    }
    if (turnCut) counts.turnsCut++;
  }
  return { delaysMs, ...counts };
}

/** A silence: how long after the last voiced frame the turn was ended in it, if it was. */
function pause(
  detector: TurnDetector,
  { speaker, isEnd, pauseMs, fromMs }: { speaker: RecordedSpeaker; isEnd: boolean; pauseMs: number; fromMs: number },
): number | undefined {
  const lastVoicedAtMs = fromMs - FRAME_MS;
  const stopAtMs = speaker.pushesToTalk && !isEnd ? Infinity : fromMs + speaker.tailMs();
  let stopped = false;
  let endedAtMs: number | undefined;
  for (let nowMs = fromMs; nowMs < fromMs + pauseMs; nowMs += FRAME_MS) {
    const { dueAtMs } = detector;
    if (detector.tick(nowMs)) endedAtMs = Math.min(nowMs, dueAtMs ?? nowMs);
    if (nowMs < stopAtMs) {
      if (detector.frame(false, nowMs)) endedAtMs = nowMs;
    } else if (!stopped) {
      detector.silence(nowMs);
      stopped = true;
    }
  }
  return endedAtMs === undefined ? undefined : endedAtMs - lastVoicedAtMs;
}

/** All speakers' results as one. */
export function together(played: readonly Played[]): Played {
  const sum = (of: (one: Played) => number): number => played.reduce((total, one) => total + of(one), 0);
  return {
    delaysMs: played.flatMap((one) => one.delaysMs),
    pauses: sum((one) => one.pauses),
    cutOffs: sum((one) => one.cutOffs),
    turnsCut: sum((one) => one.turnsCut),
  };
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const keyed = items.map((item) => ({ item, key: random() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item);
}
