import { beforeAll, describe, expect, it } from 'vitest';

import { FRAME_MS, FRAME_SAMPLES } from '../../src/audio/frame.ts';
import { levelDbfs } from '../../src/audio/level.ts';
import { toInt16 } from '../../src/audio/pcm.ts';
import { VoiceActivityDetector } from '../../src/audio/vad.ts';
import { noise, sequence, silence, sine, spoken } from './sounds.ts';

let createDetector: () => VoiceActivityDetector;
/** Three voices with a second of silence before each. */
let speech: Int16Array;
beforeAll(async () => {
  createDetector = await VoiceActivityDetector.load();
  const text = 'Good evening. I would like to know what the weather is going to be like tomorrow.';
  const voices = await Promise.all([spoken(text, 'slt'), spoken(text, 'kal'), spoken(text, 'rms')]);
  speech = sequence(...voices.flatMap((voice) => [silence(1000), voice]));
});

function framesOf(sound: Int16Array): Int16Array[] {
  return Array.from({ length: Math.floor(sound.length / FRAME_SAMPLES) }, (_, i) =>
    sound.subarray(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES),
  );
}

function decide(sound: Int16Array): boolean[] {
  using detector = createDetector();
  return framesOf(sound).map((frame) => detector.isVoiced(frame));
}

/** Share of frames that are voiced, 0 to 1; `sound` may be the noisy version of what `clean` judges. */
function rates(sound: Int16Array, clean: Int16Array): { true: number; false: number } {
  const levels = framesOf(clean).map(levelDbfs);
  const voiced = decide(sound);
  const share = (counts: (levelDbfs: number) => boolean): number => {
    const chosen = voiced.filter((_, i) => counts(levels[i] ?? 0));
    return chosen.filter(Boolean).length / chosen.length;
  };
  return { true: share((level) => level > -40), false: share((level) => level < -60) };
}

function mix(a: Int16Array, b: Int16Array): Int16Array {
  return a.map((sample, i) => sample + (b[i] ?? 0));
}

/** Peak of white noise with this level. */
function peakAt(dbfs: number): number {
  return 32_768 * 10 ** (dbfs / 20) * Math.sqrt(3);
}

/** One burst of noise a second, dying away. */
function bursts(count: number, burstMs: number, peak: number): Int16Array {
  const samples = burstMs * 24;
  return sequence(
    ...Array.from({ length: count }, (_, i) =>
      sequence(
        noise(samples, peak, i + 1).map((sample, k) => sample * Math.exp((-3 * k) / samples)),
        silence(1000 - burstMs),
      ),
    ),
  );
}

/** Longest stretch of voiced frames in ms. */
function longestMs(voiced: boolean[]): number {
  const runs = voiced
    .map((on) => (on ? '1' : '0'))
    .join('')
    .split(/0+/);
  return Math.max(...runs.map((run) => run.length)) * FRAME_MS;
}

describe('VoiceActivityDetector', () => {
  it('hears speech of three voices and nothing in the pauses', () => {
    const { true: hits, false: alarms } = rates(speech, speech);
    expect(hits).toBeGreaterThan(0.97);
    expect(alarms).toBeLessThan(0.01);
  });

  it.each([
    [-60, 0.95],
    [-50, 0.93],
    [-45, 0.9],
    [-40, 0.8],
  ])('hears it over steady noise of %i dBFS', (dbfs, atLeast) => {
    const { true: hits, false: alarms } = rates(mix(speech, noise(speech.length, peakAt(dbfs))), speech);
    expect(hits).toBeGreaterThan(atLeast);
    expect(alarms).toBeLessThan(0.03);
  });

  it('hears quiet speech', () => {
    const quiet = speech.map((sample) => sample / 5);
    const { true: hits } = rates(quiet, speech);
    expect(hits).toBeGreaterThan(0.8);
  });

  it('hears nothing in digital silence, faint noise and hum', () => {
    const hum = toInt16(sine(50, 240_000, 0.05));
    for (const sound of [silence(5000), noise(120_000, peakAt(-60)), hum]) {
      expect(decide(sound).some(Boolean)).toBe(false);
    }
  });

  it('gets used to noise of any loudness within two seconds', () => {
    for (const dbfs of [-45, -30, -20]) {
      const afterwards = decide(noise(240_000, peakAt(dbfs))).slice(2000 / FRAME_MS);
      expect(afterwards.filter(Boolean).length / afterwards.length).toBeLessThan(0.02);
    }
  });

  it('does not take clicks and coughs for more than they are', () => {
    expect(longestMs(decide(bursts(10, 2, 20_000)))).toBeLessThanOrEqual(40);
    expect(longestMs(decide(bursts(10, 10, 20_000)))).toBeLessThanOrEqual(60);
    expect(longestMs(decide(bursts(10, 120, 9000)))).toBeLessThanOrEqual(180);
  });

  it('keeps speakers apart', () => {
    using first = createDetector();
    using second = createDetector();
    const together = framesOf(speech).map((frame) => {
      second.isVoiced(noise(FRAME_SAMPLES, 10_000));
      return first.isVoiced(frame);
    });
    expect(together).toEqual(decide(speech));
  });

  it('refuses frames of another length, and is quiet once it is disposed', () => {
    const detector = createDetector();
    expect(() => detector.isVoiced(new Int16Array(100))).toThrow(RangeError);
    detector[Symbol.dispose]();
    detector[Symbol.dispose]();
    expect(detector.isVoiced(new Int16Array(FRAME_SAMPLES).fill(5000))).toBe(false);
  });
});
