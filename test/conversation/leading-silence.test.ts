import { describe, expect, it } from 'vitest';

import { FRAME_SAMPLES, type Frame } from '../../src/audio/frame.ts';
import { withoutLeadingSilence } from '../../src/conversation/leading-silence.ts';

const frame = (level: number): Frame => new Int16Array(FRAME_SAMPLES).fill(level);

async function play(levels: readonly number[]): Promise<{ heard: number[]; trimmed: number }> {
  let trimmed = 0;
  const frames = withoutLeadingSilence(
    (async function* () {
      for (const level of levels) yield frame(level);
    })(),
    () => trimmed++,
  );
  const heard = await Array.fromAsync(frames, (one) => one[0] ?? 0);
  return { heard, trimmed };
}

describe('withoutLeadingSilence', () => {
  it('begins with the first frame that can be heard, and keeps the pauses after it', async () => {
    expect(await play([0, 1, 0, 60, 5000, 0, 0, 5000])).toEqual({ heard: [60, 5000, 0, 0, 5000], trimmed: 3 });
  });

  it('changes nothing when the voice comes at once', async () => {
    expect(await play([3000, 0, 3000])).toEqual({ heard: [3000, 0, 3000], trimmed: 0 });
  });

  it('takes silence of more than a second as meant', async () => {
    const { heard, trimmed } = await play([...Array.from({ length: 60 }, () => 0), 5000]);
    expect(trimmed).toBe(50);
    expect(heard).toHaveLength(11);
  });
});
