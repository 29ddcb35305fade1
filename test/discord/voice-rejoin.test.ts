import { describe, expect, it } from 'vitest';

import type { SessionEnd } from '../../src/discord/session-events.ts';
import { RejoinPolicy, type NextStep } from '../../src/discord/voice-rejoin.ts';

/** Delays without chance. */
const policy = (random = 0.5) => new RejoinPolicy(() => random);
const closed = (code: number): SessionEnd => ({ kind: 'closed', code });

/** Ends one session after the other as soon as it was ready, and gives the steps up to the last. */
function untilGone(end: SessionEnd, { ready = true, eachMs = 100 } = {}): NextStep[] {
  const rule = policy();
  const steps: NextStep[] = [];
  let nowMs = 0;
  for (let round = 0; round < 100; round++) {
    if (ready) rule.ready(nowMs);
    nowMs += eachMs;
    const step = rule.ended(end, nowMs);
    steps.push(step);
    if (step.kind === 'gone') break;
    nowMs += step.afterMs;
  }
  return steps;
}

describe('RejoinPolicy', () => {
  it.each([1000, 1001, 1006, 1011, 4015])('after %i joins five times at growing distances, then gives up', (code) => {
    const steps = untilGone(closed(code));
    expect(steps).toMatchObject([
      { kind: 'join', afterMs: 250, newSession: false },
      { kind: 'join', afterMs: 625, newSession: true },
      { kind: 'join', newSession: true },
      { kind: 'join', newSession: true },
      { kind: 'join', newSession: true },
      { kind: 'gone', reason: { kind: 'connection-lost' } },
    ]);
    expect(steps[4]).toHaveProperty('afterMs', expect.closeTo(9766, 0));
  });

  it.each([4004, 4006, 4009, 4011])('after %i asks for a new session, five times at most', (code) => {
    const steps = untilGone(closed(code));
    expect(steps).toHaveLength(6);
    expect(steps[0]).toEqual({ kind: 'join', afterMs: 250, newSession: true });
    expect(steps.at(-1)).toEqual({ kind: 'gone', reason: { kind: 'connection-lost' } });
  });

  it.each([4001, 4002, 4003, 4005, 4012, 4016, 4020, 4999])('after %i joins once more and no more', (code) => {
    expect(untilGone(closed(code))).toMatchObject([
      { kind: 'join', newSession: false },
      { kind: 'gone', reason: { kind: 'refused', code } },
    ]);
  });

  it('after 4014 does not join again', () => {
    expect(untilGone(closed(4014))).toEqual([{ kind: 'gone', reason: { kind: 'removed' } }]);
    expect(untilGone({ kind: 'removed', code: 4014 })).toEqual([{ kind: 'gone', reason: { kind: 'removed' } }]);
  });

  it('after 4014 does join again when the main session was lost less than ten seconds ago', () => {
    const rule = policy();
    rule.ready(0);
    rule.mainSessionLost(5_000);
    expect(rule.ended(closed(4014), 14_000)).toMatchObject({ kind: 'join', newSession: true });
    expect(rule.ended({ kind: 'removed', code: undefined }, 16_000)).toEqual({
      kind: 'gone',
      reason: { kind: 'removed' },
    });
  });

  it('after 4017 stops: nothing but the missing library would help', () => {
    expect(untilGone(closed(4017))).toEqual([{ kind: 'gone', reason: { kind: 'encryption-required' } }]);
  });

  it('after 4021 stops for a minute at least', () => {
    expect(untilGone(closed(4021))).toEqual([{ kind: 'gone', reason: { kind: 'rate-limited', retryAfterMs: 60_000 } }]);
  });

  it('after 4022 joins once, unless the channel is gone', () => {
    expect(untilGone(closed(4022))).toMatchObject([{ kind: 'join' }, { kind: 'gone', reason: { kind: 'call-ended' } }]);
    expect(untilGone({ kind: 'removed', code: 4022 })).toEqual([{ kind: 'gone', reason: { kind: 'call-ended' } }]);
  });

  it('gives up when a minute is used up, whatever number of tries is left', () => {
    const steps = untilGone({ kind: 'timeout' }, { ready: false, eachMs: 25_000 });
    expect(steps.filter(({ kind }) => kind === 'join')).toHaveLength(3);
    expect(steps.at(-1)).toEqual({ kind: 'gone', reason: { kind: 'connection-lost' } });
  });

  it('waits for a main gateway that is away for as long as a minute lasts, and has its tries left then', () => {
    const steps = untilGone({ kind: 'no-gateway' }, { ready: false, eachMs: 0 });
    expect(steps.at(-1)).toEqual({ kind: 'gone', reason: { kind: 'connection-lost' } });
    const waits = steps.flatMap((step) => (step.kind === 'join' ? [step.afterMs] : []));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
    expect(waits.reduce((sum, waitMs) => sum + waitMs, 0)).toBe(60_000);

    const rule = policy();
    for (let nowMs = 0; nowMs < 50_000; nowMs += 2_000) rule.ended({ kind: 'no-gateway' }, nowMs);
    expect(rule.ended(closed(4006), 50_000)).toMatchObject({ kind: 'join', afterMs: 250 });
  });

  it('forgets its troubles once a connection has held for a minute', () => {
    const rule = policy();
    for (let round = 0; round < 20; round++) {
      rule.ready(round * 70_000);
      expect(rule.ended(closed(4006), round * 70_000 + 60_000)).toMatchObject({ kind: 'join', afterMs: 250 });
    }
  });

  it('spreads its delays by a tenth', () => {
    expect(policy(0).ended({ kind: 'fault' }, 0)).toMatchObject({ afterMs: 225 });
    expect(policy(1).ended({ kind: 'fault' }, 0)).toMatchObject({ afterMs: 275 });
  });
});
