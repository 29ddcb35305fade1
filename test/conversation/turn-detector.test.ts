import { describe, expect, it } from 'vitest';

import { FRAME_MS } from '../../src/audio/frame.ts';
import { HABITS, SpeakerHabits } from '../../src/conversation/speaker-habits.ts';
import { FIXED_RULE, TurnDetector, type SpeechChange } from '../../src/conversation/turn-detector.ts';
import { compareRules, fixedCutOff, speakersOf } from './support/turn-rules.ts';

/** Plays a pattern of frames, `v` voiced and `.` not, 20 ms apart; tells what changed and when. */
function play(detector: TurnDetector, pattern: string, fromMs = 0): { change: SpeechChange; atMs: number }[] {
  const changes: { change: SpeechChange; atMs: number }[] = [];
  for (const [index, frame] of pattern.split('').entries()) {
    const atMs = fromMs + index * FRAME_MS;
    const change = detector.frame(frame === 'v', atMs);
    if (change) changes.push({ change, atMs });
  }
  return changes;
}

const detector = (): TurnDetector => new TurnDetector(FIXED_RULE, FRAME_MS);

describe('TurnDetector', () => {
  it('starts a turn at the third voiced frame and ends it after the silence, counted from the last voiced frame', () => {
    const one = detector();
    expect(play(one, `...vvvvv${'.'.repeat(40)}`)).toEqual([
      { change: 'started', atMs: 100 },
      { change: 'ended', atMs: 140 + FIXED_RULE.silenceMs },
    ]);
  });

  it('takes a click for no speech', () => {
    const one = detector();
    expect(play(one, 'v.........v.........vv..........v')).toEqual([]);
    expect(one.dueAtMs).toBeUndefined();
  });

  it('goes on over a pause that is shorter than the silence', () => {
    const one = detector();
    const pause = '.'.repeat(FIXED_RULE.silenceMs / FRAME_MS - 2);
    expect(play(one, `vvv${pause}vvv`)).toEqual([{ change: 'started', atMs: 40 }]);
  });

  it('says when it is due while no frames come, and ends then and not before', () => {
    const one = detector();
    play(one, 'vvv');
    expect(one.dueAtMs).toBe(40 + FIXED_RULE.silenceMs);
    expect(one.tick(39 + FIXED_RULE.silenceMs)).toBeUndefined();
    expect(one.tick(40 + FIXED_RULE.silenceMs)).toBe('ended');
    expect(one.dueAtMs).toBeUndefined();
    expect(one.tick(10_000)).toBeUndefined();
  });

  it('ends at once when the speaker is gone, and only once', () => {
    const one = detector();
    play(one, 'vvv');
    expect(one.end()).toBe('ended');
    expect(one.end()).toBeUndefined();
  });

  it('ends a turn that never pauses at its longest, and starts the next one', () => {
    const one = new TurnDetector({ ...FIXED_RULE, maxTurnMs: 1000 }, FRAME_MS);
    const changes = play(one, 'v'.repeat(60));
    expect(changes.map(({ change }) => change)).toEqual(['started', 'ended', 'started']);
    expect(changes[1]?.atMs).toBe(1000);
  });

  it('takes a frame that comes after the end as the beginning of something new', () => {
    const one = detector();
    play(one, 'vvv');
    expect(one.frame(true, 5000)).toBe('ended');
    expect(play(one, 'vvv', 5020)).toEqual([{ change: 'started', atMs: 5060 }]);
  });
});

describe('TurnDetector with habits', () => {
  const UNKNOWN_MS = new SpeakerHabits().waitMs;

  /** One turn: speech, then silence until it is over. Returns how long the end took after the last voiced frame. */
  function turn(one: TurnDetector, fromMs: number, stopAfterMs?: number): number {
    const lastVoicedAtMs = fromMs + 400;
    for (let atMs = fromMs; atMs <= lastVoicedAtMs; atMs += FRAME_MS) one.frame(true, atMs);
    for (let afterMs = FRAME_MS; afterMs < 4000; afterMs += FRAME_MS) {
      if (one.tick(lastVoicedAtMs + afterMs)) return afterMs;
      if (stopAfterMs === undefined || afterMs < stopAfterMs) one.frame(false, lastVoicedAtMs + afterMs);
      else if (afterMs - stopAfterMs < FRAME_MS) one.silence(lastVoicedAtMs + afterMs);
    }
    return Number.NaN;
  }

  /** A turn with pauses of one length in it, as the frames of an open microphone; a tick before each. */
  function turnWithPauses(one: TurnDetector, fromMs: number, pauseMs: number): boolean {
    let atMs = fromMs;
    let cut = false;
    for (let pauses = 0; pauses < 4; pauses++) {
      for (const untilMs = atMs + 600; atMs < untilMs; atMs += FRAME_MS) one.frame(true, atMs);
      for (const untilMs = atMs + pauseMs; atMs < untilMs; atMs += FRAME_MS) cut ||= one.frame(false, atMs) === 'ended';
    }
    for (const untilMs = atMs + 600; atMs < untilMs; atMs += FRAME_MS) one.frame(true, atMs);
    for (const untilMs = atMs + 4000; atMs < untilMs; atMs += FRAME_MS) one.frame(false, atMs);
    return cut;
  }

  it('waits longer for who pauses long, and less for who hardly pauses', () => {
    const slow = new SpeakerHabits();
    const quick = new SpeakerHabits();
    const [slowOne, quickOne] = [slow, quick].map((habits) => new TurnDetector(FIXED_RULE, FRAME_MS, habits));
    for (let number = 0; number < 12; number++) {
      turnWithPauses(slowOne!, number * 20_000, 700);
      turn(quickOne!, number * 20_000);
    }
    expect(slow.waitMs).toBeGreaterThan(UNKNOWN_MS + 150);
    expect(quick.waitMs).toBeLessThan(UNKNOWN_MS - 150);
    expect(turnWithPauses(slowOne!, 1_000_000, 800)).toBe(false);
    expect(turn(quickOne!, 1_000_000)).toBeLessThan(UNKNOWN_MS - 150);
  });

  it('learns from having cut somebody off, and not from a new turn', () => {
    const habits = new SpeakerHabits();
    const one = new TurnDetector(FIXED_RULE, FRAME_MS, habits);
    const beforeMs = habits.waitMs;
    const endedAtMs = 400 + turn(one, 0);
    play(one, 'vvvv', endedAtMs + 300);
    const onceMs = habits.waitMs;
    expect(onceMs).toBeGreaterThan(beforeMs);
    one.tick(endedAtMs + 5000);
    play(one, 'vvvv', endedAtMs + 20_000);
    expect(habits.waitMs).toBeLessThanOrEqual(onceMs);
  });

  it('keeps between its bounds whatever is heard', () => {
    const [silent, slow] = [new SpeakerHabits(), new SpeakerHabits()];
    for (let number = 0; number < 500; number++) {
      silent.finished();
      for (let pauses = 0; pauses < 9; pauses++) slow.paused(60_000);
    }
    expect(silent.waitMs).toBe(HABITS.shortestMs);
    expect(slow.waitMs).toBe(HABITS.longestMs);
  });

  it('ends the turn of who talks by pressing a key soon after the key is let go, and not while they hold it', () => {
    const one = new TurnDetector(FIXED_RULE, FRAME_MS, new SpeakerHabits());
    const delays = Array.from({ length: 5 }, (_, number) => turn(one, number * 20_000, 40));
    expect(delays[0]).toBeGreaterThan(600);
    expect(delays.at(-1)).toBe(40 + FIXED_RULE.releaseMs);
    // They think for more than a second with the key down, and go on.
    expect(play(one, `${'v'.repeat(20)}${'.'.repeat(60)}vvv`, 200_000)).toEqual([{ change: 'started', atMs: 200_040 }]);
  });

  it('unlearns the key as soon as speech goes on after the client stopped', () => {
    const one = new TurnDetector(FIXED_RULE, FRAME_MS, new SpeakerHabits());
    for (let number = 0; number < 5; number++) turn(one, number * 20_000, 40);
    play(one, 'v'.repeat(20), 200_000);
    one.silence(200_420);
    expect(one.tick(200_420 + FIXED_RULE.releaseMs)).toBe('ended');
    play(one, 'v'.repeat(20), 200_800);
    one.silence(201_220);
    expect(one.dueAtMs).toBeGreaterThan(201_220 + 3 * FIXED_RULE.releaseMs);
  });

  it('waits longer when sound stops without the silence this client sends, since it may be lost', () => {
    const habits = new SpeakerHabits();
    const one = new TurnDetector(FIXED_RULE, FRAME_MS, habits);
    play(one, 'vvvvvvvvvv');
    // Nothing is known of this client yet.
    expect(one.dueAtMs).toBe(180 + habits.waitMs);
    one.silence(200);
    play(one, 'vvvvvvvvvv', 400);
    expect(one.dueAtMs).toBe(580 + habits.waitMs + FIXED_RULE.lossMs);
    // Frames without voice in them, up to the end: nothing is missing.
    play(one, '.'.repeat(Math.floor(habits.waitMs / FRAME_MS) - 1), 600);
    expect(one.dueAtMs).toBe(580 + habits.waitMs);
  });

  it('says when the speaker was last voiced, while there is a turn', () => {
    const one = new TurnDetector(FIXED_RULE, FRAME_MS, new SpeakerHabits());
    expect(one.lastVoicedAtMs).toBeUndefined();
    play(one, 'vvvvv...');
    expect(one.lastVoicedAtMs).toBe(80);
    one.end();
    expect(one.lastVoicedAtMs).toBeUndefined();
  });
});

/**
 * Turns drawn from the pauses that are known (see `Population`), stepped frame by frame: ten draws of 300 for each set of
 * assumptions, since twelve people are few. A rule that goes by silence cannot be quicker than a fixed one unless people
 * differ from each other or show in another way that they are done; how much each assumption gives is told apart here.
 */
describe('the rule against a fixed silence, on turns as people speak them', () => {
  it.each([
    [300, 0.556],
    [600, 0.217],
    [1000, 0.1],
    [1600, 0.05],
  ])('cuts off as measured at a fixed silence of %i ms', (silenceMs, measured) => {
    // A frame's silence is counted from its arrival, so that the rule is a frame early; half a frame is 0.025 at 300 ms.
    const cutOff = fixedCutOff(speakersOf('people differ'), silenceMs + FRAME_MS);
    expect(Math.abs(cutOff - measured)).toBeLessThan(silenceMs < 1000 ? 0.03 : 0.01);
  });

  it('gains nothing, and loses little, when everybody pauses alike', () => {
    const { meanMs, fixedMs } = compareRules(speakersOf('all alike, open microphones'));
    expect(meanMs / fixedMs).toBeGreaterThan(0.95);
    expect(meanMs / fixedMs).toBeLessThan(1.05);
  });

  it('answers an eighth sooner when people differ, with as many cut off', () => {
    const { meanMs, fixedMs, cutOff } = compareRules(speakersOf('people differ'));
    expect(meanMs / fixedMs).toBeLessThan(0.88);
    expect(cutOff).toBeLessThan(0.12);
  });

  it('answers a third sooner when people differ and a quarter of them press a key, with at most one pause in ten cut', () => {
    const { meanMs, fixedMs, cutOff } = compareRules(speakersOf('people differ, a quarter press a key'));
    expect(cutOff).toBeLessThanOrEqual(0.1);
    expect(meanMs / fixedMs).toBeLessThan(0.67);
  });
});
