import { describe, expect, it } from 'vitest';

import { DaveRecovery } from '../../src/discord/dave-recovery.ts';
import { HearingWatchdog } from '../../src/discord/hearing-watchdog.ts';

describe('HearingWatchdog', () => {
  it('sends silence, joins again, then tells, each after ten seconds of speech that does not arrive', () => {
    const watchdog = new HearingWatchdog();
    const steps = [];
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 1_000) {
      watchdog.speaking(nowMs);
      const step = watchdog.tick(nowMs);
      if (step) steps.push([nowMs, step]);
    }
    expect(steps).toEqual([
      [10_000, 'send-silence'],
      [21_000, 'rejoin'],
      [32_000, 'tell'],
    ]);
  });

  it('starts over once anything is heard', () => {
    const watchdog = new HearingWatchdog();
    watchdog.speaking(0);
    watchdog.heard();
    expect(watchdog.tick(20_000)).toBeUndefined();
    watchdog.speaking(20_000);
    expect(watchdog.tick(30_000)).toBe('send-silence');
    watchdog.heard();
    watchdog.speaking(40_000);
    expect(watchdog.tick(50_000)).toBe('send-silence');
  });

  it('takes a quiet channel for what it is', () => {
    const watchdog = new HearingWatchdog();
    expect(watchdog.tick(1_000_000)).toBeUndefined();
    watchdog.speaking(0);
    watchdog.pause();
    expect(watchdog.tick(1_000_000)).toBeUndefined();
  });
});

describe('DaveRecovery', () => {
  it('tries new keys five times, joins again once, tells once, then leaves it', () => {
    const recovery = new DaveRecovery();
    expect(Array.from({ length: 9 }, () => recovery.failed('alice'))).toEqual([
      ...Array.from({ length: 5 }, () => 'new-keys'),
      'rejoin',
      'tell',
      undefined,
      undefined,
    ]);
    expect(recovery.failed('bob')).toBe('new-keys');
    recovery.heard('alice');
    expect(recovery.failed('alice')).toBe('new-keys');
  });
});
