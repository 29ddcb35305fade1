import { expect, test } from 'vitest';

import { FRAME_SAMPLES, JitterBuffer } from '../../../src/sandbox/page/client/jitter.ts';

const loud = (): Float32Array => new Float32Array(FRAME_SAMPLES).fill(0.5);

test('sound that arrives in bunches is played without a gap, after a little delay', () => {
  const buffer = new JitterBuffer();
  const played: boolean[] = [];
  for (let tick = 0; tick < 200; tick++) {
    // Two frames every 40 ms.
    if (tick % 2 === 0) for (let frame = 0; frame < 2; frame++) buffer.push(loud(), false);
    played.push(buffer.pull() !== undefined);
  }
  const first = played.indexOf(true);
  expect(first).toBeLessThan(6);
  expect(played.slice(first)).not.toContain(false);
  expect(buffer.interruptions).toBe(0);
});

test('the end of speech is no interruption, and a stall is one that makes the buffer more careful', () => {
  const buffer = new JitterBuffer();
  for (let frame = 0; frame < 10; frame++) buffer.push(loud(), false);
  buffer.push(loud(), true);
  for (let tick = 0; tick < 20; tick++) buffer.pull();
  expect(buffer.interruptions).toBe(0);
  const before = buffer.targetMs;
  for (let frame = 0; frame < 10; frame++) buffer.push(loud(), false);
  for (let tick = 0; tick < 20; tick++) buffer.pull();
  expect(buffer.interruptions).toBe(1);
  expect(buffer.targetMs).toBeGreaterThan(before);
});

test('an hour of 200 turns from a sender whose clock runs fast does not pile up delay', () => {
  const buffer = new JitterBuffer();
  const delays: number[] = [];
  let owed = 0;
  for (let turn = 0; turn < 200; turn++) {
    // 18 s a turn, 10 of them speech, 0.2 % too fast; every fifth frame is between two words.
    for (let tick = 0; tick < 900; tick++) {
      owed += 1.002;
      for (; owed >= 1; owed -= 1) {
        if (tick < 500) buffer.push(tick % 5 === 0 ? new Float32Array(FRAME_SAMPLES) : loud(), false);
        else if (tick < 505) buffer.push(loud(), true);
      }
      buffer.pull();
      delays.push(buffer.delayMs);
    }
  }
  const most = (from: number, to: number): number => Math.max(...delays.slice(from, to));
  expect(most(delays.length - 9000, delays.length)).toBeLessThanOrEqual(most(0, 9000));
  expect(Math.max(...delays.slice(-9000))).toBeLessThan(250);
  expect(buffer.interruptions).toBe(0);
});
