import { describe, expect, it } from 'vitest';

import { encodeVoiceMessage } from '../../src/audio/voice-message.ts';
import { encodeWaveform } from '../../src/audio/waveform.ts';
import { noise, sequence, silence } from './sounds.ts';

function pointsOf(waveform: string): number[] {
  return [...Buffer.from(waveform, 'base64')];
}

describe('encodeWaveform', () => {
  it('draws ten points a second, the loudest at 255', () => {
    const loud = new Int16Array(2400).fill(20_000);
    const half = new Int16Array(2400).fill(10_000);
    expect(pointsOf(encodeWaveform(sequence(half, loud, silence(100))))).toEqual([128, 255, 0]);
  });

  it('draws at most 256 points and at least one', () => {
    expect(pointsOf(encodeWaveform(noise(24_000 * 60, 5000)))).toHaveLength(256);
    expect(pointsOf(encodeWaveform(new Int16Array(0)))).toEqual([0]);
    expect(pointsOf(encodeWaveform(silence(150)))).toEqual([0, 0]);
  });
});

describe('encodeVoiceMessage', () => {
  it('tells its true duration and keeps to about 32 kbit/s', () => {
    const { file, durationSecs, waveform } = encodeVoiceMessage(noise(24_000 * 3 + 7, 3000));
    expect(durationSecs).toBe((24_000 * 3 + 7) / 24_000);
    expect(pointsOf(waveform)).toHaveLength(31);
    expect(file.length / durationSecs).toBeGreaterThan(2000);
    expect(file.length / durationSecs).toBeLessThan(6500);
  });
});
