import { expect, test } from 'vitest';

import { TurnStats } from '../../src/conversation/turn-stats.ts';
import type { TurnTimings } from '../../src/conversation/turn-timings.ts';
import { english } from '../../src/language/english.ts';

function timings(changes: Partial<TurnTimings> = {}): TurnTimings {
  return {
    endOfTurnMs: 500,
    speculation: 'hit',
    dropped: 0,
    askedMs: 120,
    firstByteMs: 400,
    firstAudioMs: 420,
    firstPacketMs: 520,
    playedMs: 3000,
    heard: 'whole',
    ...changes,
  };
}

test('half and 95 of a hundred turns, of those that came so far', () => {
  const stats = new TurnStats();
  for (let turn = 1; turn <= 100; turn++) {
    const isHeard = turn % 4 !== 0;
    stats.add(
      'one',
      timings({
        endOfTurnMs: 101 - turn,
        firstPacketMs: isHeard ? turn : undefined,
        heard: isHeard ? 'whole' : 'nothing',
        speculation: turn <= 30 ? 'hit' : 'miss',
        dropped: turn === 1 ? 2 : 0,
      }),
    );
  }
  const facts = stats.of('one');
  expect(facts).toMatchObject({
    turns: 100,
    speculation: { hit: 30, miss: 70, off: 0 },
    dropped: 2,
    heard: { whole: 75, part: 0, nothing: 25 },
  });
  expect(facts?.stages.find(({ stage }) => stage === 'endOfTurnMs')).toEqual({
    stage: 'endOfTurnMs',
    p50: 50,
    p95: 95,
  });
  // 1, 2, 3, 5, 6, 7, 9, … 99: the 38th and the 72nd of 75.
  expect(facts?.stages.find(({ stage }) => stage === 'firstPacketMs')).toEqual({
    stage: 'firstPacketMs',
    p50: 50,
    p95: 95,
  });
});

test('a channel’s newest 200 turns count, and no other channel’s', () => {
  const stats = new TurnStats();
  expect(stats.of('one')).toBeUndefined();
  for (let turn = 0; turn < 250; turn++) stats.add('one', timings({ playedMs: turn < 50 ? 0 : 1 }));
  stats.add('two', timings({ firstPacketMs: undefined, firstAudioMs: undefined }));
  expect(stats.of('one')?.turns).toBe(200);
  expect(stats.of('one')?.stages.find(({ stage }) => stage === 'playedMs')).toMatchObject({ p50: 1, p95: 1 });
  expect(stats.of('two')?.stages.map(({ stage }) => stage)).not.toContain('firstPacketMs');
});

test('channels nobody talks in any more are let go', () => {
  const stats = new TurnStats();
  for (let channel = 0; channel < 600; channel++) stats.add(`${channel}`, timings());
  expect(stats.of('0')).toBeUndefined();
  expect(stats.of('599')?.turns).toBe(1);
});

test('they are told in a message that can be read, whatever they are', () => {
  const stats = new TurnStats();
  stats.add('one', timings({ speculation: 'off' }));
  const one = stats.of('one');
  expect(one && english.stats.text(one, 200)).toMatch(
    /The last 1 turn here.*you hear me +520 +520\n.*Heard whole 1, cut 0/s,
  );
  expect(one && english.stats.text(one, 200)).not.toContain('in vain');
  stats.add('one', timings({ speculation: 'miss', dropped: 1, firstPacketMs: 123_456.7 }));
  const two = stats.of('one');
  const text = two ? english.stats.text(two, 200) : '';
  expect(text).toContain('right 0, in vain 1 times; 1 answer dropped');
  expect(text.length).toBeLessThan(2000);
});
