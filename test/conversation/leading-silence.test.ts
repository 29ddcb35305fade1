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

  it('begins within a frame, to 5 ms, and keeps every sample from there on', async () => {
    const first = new Int16Array(FRAME_SAMPLES).fill(3, 0, 250).fill(900, 250);
    const second = Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => i + 1000);
    const sound = (async function* () {
      yield* [frame(0), first, second];
    })();
    const heard = await Array.fromAsync(withoutLeadingSilence(sound, () => {}));
    const expected = [...first.subarray(240), ...second, ...new Int16Array(240)];
    expect(heard.map((one) => one.length)).toEqual([FRAME_SAMPLES, FRAME_SAMPLES]);
    expect(heard.flatMap((one) => [...one])).toEqual(expected.slice(0, 2 * FRAME_SAMPLES));
  });

  it('takes silence of more than a second as meant', async () => {
    const { heard, trimmed } = await play([...Array.from({ length: 60 }, () => 0), 5000]);
    expect(trimmed).toBe(50);
    expect(heard).toHaveLength(11);
  });
});
