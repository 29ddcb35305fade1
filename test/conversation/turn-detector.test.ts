import { describe, expect, it } from 'vitest';

import { FRAME_MS } from '../../src/audio/frame.ts';
import { FIXED_RULE, TurnDetector, type SpeechChange } from '../../src/conversation/turn-detector.ts';

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
