import { describe, expect, it } from 'vitest';

import { FRAME_MS, FRAME_SAMPLES } from '../../src/audio/frame.ts';
import { UtteranceRecorder } from '../../src/conversation/utterance-recorder.ts';

/** An "encoder" whose bytes are the first sample of each frame, so that a test can read what was recorded. */
function recorder(): UtteranceRecorder {
  return new UtteranceRecorder({ id: '1', name: 'Alice' }, () => ({
    encode: (frame) => Uint8Array.of(frame[0] ?? 0),
    [Symbol.dispose]: () => {},
  }));
}

/** Pushes frames marked 1, 2, 3 … at 20 ms from `fromMs`, the first after a pause. */
function push(to: UtteranceRecorder, count: number, fromMs: number, firstMark: number, pauseMs = 0): void {
  for (let i = 0; i < count; i++) {
    const frame = new Int16Array(FRAME_SAMPLES).fill(firstMark + i);
    to.push({ frame, atMs: fromMs + i * FRAME_MS, pauseMs: i === 0 ? pauseMs : 0, voiced: true });
  }
}

/** What was recorded, without the silence that brings it out of an encoder. */
function marks(data: Uint8Array | undefined): number[] {
  expect([...(data ?? [])].slice(-6)).toEqual([0, 0, 0, 0, 0, 0]);
  return [...(data ?? [])].slice(0, -6);
}

describe('UtteranceRecorder', () => {
  it('begins with the sound from before the detector was sure', () => {
    const one = recorder();
    push(one, 3, 1000, 1);
    one.begin();
    push(one, 2, 1060, 4);
    const utterance = one.end();
    expect(marks(utterance?.speech.data)).toEqual([1, 2, 3, 4, 5]);
    expect(utterance?.startedAtMs).toBe(1000);
    expect(utterance?.lastVoicedAtMs).toBe(1080);
    expect(utterance?.voicedMs).toBe(100);
    expect(utterance?.speech.durationMs).toBe(220);
  });

  it('leaves out sound from before a pause', () => {
    const one = recorder();
    push(one, 2, 0, 1);
    push(one, 2, 900, 3, 860);
    one.begin();
    expect(marks(one.end()?.speech.data)).toEqual([3, 4]);
  });

  it('keeps pauses at their length, up to three seconds', () => {
    const one = recorder();
    push(one, 1, 0, 1);
    one.begin();
    push(one, 1, 400, 2, 380);
    push(one, 1, 60_000, 3, 59_580);
    const recorded = marks(one.end()?.speech.data);
    expect(recorded.indexOf(2)).toBe(20);
    expect(recorded.length - recorded.indexOf(2) - 1).toBe(151);
  });

  it('takes packets that come late for no pause', () => {
    const one = recorder();
    push(one, 1, 0, 1);
    one.begin();
    push(one, 1, 400, 2);
    expect(marks(one.end()?.speech.data)).toEqual([1, 2]);
  });

  it('tells what was said so far, and goes on as if it had not been asked', () => {
    const one = recorder();
    push(one, 2, 0, 1);
    one.begin();
    const soFar = one.soFar();
    expect(marks(soFar?.speech.data)).toEqual([1, 2]);
    expect(one.soFar()).toBe(soFar);
    push(one, 2, 400, 3, 360);
    const whole = marks(one.end()?.speech.data);
    expect(whole).toEqual([1, 2, ...Array.from({ length: 18 }, () => 0), 3, 4]);
  });

  it('ends with what it told last when nothing was said since', () => {
    const one = recorder();
    push(one, 2, 0, 1);
    one.begin();
    const soFar = one.soFar();
    expect(one.end()).toBe(soFar);
  });

  it('has nothing to end when nothing was begun', () => {
    const one = recorder();
    push(one, 5, 0, 1);
    expect(one.end()).toBeUndefined();
  });
});
