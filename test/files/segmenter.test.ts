import { describe, expect, it } from 'vitest';

import { concatSamples } from '../../src/audio/pcm.ts';
import { Segmenter, type Segment, type SegmentRules } from '../../src/files/segmenter.ts';
import { noise, silence } from '../audio/sounds.ts';

const CUES: SegmentRules = { pauseMs: 500, minMs: 1000, maxMs: 5000 };

function voice(ms: number, peak = 8000): Int16Array {
  return noise(ms * 24, peak);
}

/** Cuts sound that arrives in chunks of this length. */
function cut(sounds: Int16Array[], rules = CUES, chunk = 1000): Segment[] {
  const segmenter = new Segmenter(rules);
  const sound = concatSamples(sounds);
  const segments: Segment[] = [];
  for (let at = 0; at < sound.length; at += chunk) segments.push(...segmenter.push(sound.subarray(at, at + chunk)));
  return [...segments, ...segmenter.flush()];
}

/** From and to in milliseconds of what is said in each piece. */
function voiced(segments: readonly Segment[]): [number, number][] {
  return segments.map(({ voicedStart, voicedEnd }) => [voicedStart / 24, voicedEnd / 24]);
}

describe('Segmenter', () => {
  it('cuts at pauses, and says where the voice is', () => {
    const sounds = [silence(3000), voice(2000), silence(2000), voice(1500), silence(600), voice(1000)];
    for (const chunk of [7, 480, 24_000, 1_000_000]) {
      expect(voiced(cut(sounds, CUES, chunk))).toEqual([
        [3000, 5000],
        [7000, 8500],
        [9100, 10_100],
      ]);
    }
  });

  it('does not cut at short pauses, or before a piece has its least length', () => {
    expect(voiced(cut([voice(2000), silence(300), voice(1000)]))).toEqual([[0, 3300]]);
    expect(voiced(cut([voice(300), silence(600), voice(2000)]))).toEqual([[0, 2900]]);
  });

  it('cuts what has no pause at its quietest place, losing nothing', () => {
    const sounds = [voice(3500), voice(200, 1500), voice(4300)];
    const segments = cut(sounds);
    expect(segments.length).toBe(2);
    expect(Math.abs((segments[1]?.start ?? 0) / 24 - 3600)).toBeLessThanOrEqual(60);
    expect(concatSamples(segments.map(({ samples }) => samples))).toEqual(concatSamples(sounds));
  });

  it('never makes a piece longer than it may be', () => {
    for (const segment of cut([voice(30_000)])) expect(segment.samples.length).toBeLessThanOrEqual(5000 * 24);
  });

  it('knows quiet recordings from silence', () => {
    expect(voiced(cut([silence(1000), voice(2000, 200), silence(2000)]))).toEqual([[1000, 3000]]);
    expect(cut([silence(60_000)])).toEqual([]);
    expect(cut([voice(60_000, 20)])).toEqual([]);
  });

  it('finds pauses in a room with a hum', () => {
    const hum = (ms: number): Int16Array => voice(ms, 250);
    expect(voiced(cut([voice(2000), hum(1000), voice(1500), hum(1000)])).map(([start]) => start)).toEqual([0, 3000]);
  });
});
