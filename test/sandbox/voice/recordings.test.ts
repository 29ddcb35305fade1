import { describe, expect, it } from 'vitest';

import { FRAME_SAMPLES } from '../../../src/audio/frame.ts';
import { decodeWav } from '../../../src/audio/wav.ts';
import type { Heard } from '../../../src/sandbox/control/protocol.ts';
import type { HeardSound } from '../../../src/sandbox/voice/hearing.ts';
import { Recordings } from '../../../src/sandbox/voice/recordings.ts';

const MINUTE_MS = 60_000;

/** A frame that holds one number, so that it can be found again. */
function sound(value: number, atMs: number, timestamp: number, ssrc = 1): HeardSound {
  return {
    ssrc,
    samples: new Int16Array(FRAME_SAMPLES).fill(value),
    packet: { atMs, sequence: value, timestamp, silence: false, level: 0 },
  };
}

/** What each 20 ms of the sound hold. */
function framesOf({ wav }: Heard): number[] {
  const [samples = new Float32Array()] = decodeWav(Buffer.from(wav, 'base64')).channels;
  return Array.from({ length: samples.length / FRAME_SAMPLES }, (_, frame) =>
    Math.round((samples[frame * FRAME_SAMPLES] ?? 0) * 32_768),
  );
}

describe('what was heard', () => {
  it('lies on the timeline of its sender, lost, late and doubled packets included', () => {
    const recordings = new Recordings();
    const first = 2 ** 32 - 960;
    for (const [value, frame] of [
      [1, 0],
      [2, 1],
      [5, 4],
      [4, 3],
      [4, 3],
    ] as const) {
      recordings.add('alice', 'bot', sound(value, frame * 20, (first + frame * 960) % 2 ** 32));
    }
    const heard = recordings.heard('alice', 'bot', 0);
    expect(framesOf(heard)).toEqual([1, 2, 0, 4, 5]);
    expect(heard.packets.map(({ sequence }) => sequence)).toEqual([1, 2, 5, 4, 4]);
    expect(framesOf(recordings.heard('alice', 'bot', 50))).toEqual([5]);
    expect(recordings.heard('bob', 'bot', 0).packets).toEqual([]);
  });

  it('goes on where the packets arrive when the sender begins a new stream', () => {
    const recordings = new Recordings();
    recordings.add('alice', 'bot', sound(1, 0, 5_000_000));
    recordings.add('alice', 'bot', sound(2, 60, 77, 2));
    expect(framesOf(recordings.heard('alice', 'bot', 0))).toEqual([1, 0, 0, 2]);
  });

  it('is kept for ten minutes, after the call too, and no longer', () => {
    const recordings = new Recordings();
    recordings.add('alice', 'bot', sound(1, 0, 0));
    recordings.add('alice', 'bot', sound(2, 5 * MINUTE_MS, 960));
    recordings.add('bob', 'bot', sound(3, 9 * MINUTE_MS, 0));
    expect(recordings.heard('alice', 'bot', 0).packets).toHaveLength(2);
    recordings.add('alice', 'bot', sound(4, 11 * MINUTE_MS, 1920));
    expect(recordings.heard('alice', 'bot', 0).packets.map(({ sequence }) => sequence)).toEqual([2, 4]);
    recordings.add('alice', 'bot', sound(5, 20 * MINUTE_MS, 2880));
    expect(recordings.heard('bob', 'bot', 0).packets).toHaveLength(0);
  });

  it('is bounded: the pair that was silent for longest is forgotten, and no timestamp makes it longer', () => {
    const recordings = new Recordings();
    for (let pair = 0; pair < 100; pair += 1) recordings.add(`listener ${pair}`, 'bot', sound(1, pair, 0));
    recordings.add('listener 99', 'bot', sound(2, 1000, 960));
    const kept = Array.from(
      { length: 100 },
      (_, pair) => recordings.heard(`listener ${pair}`, 'bot', 0).packets.length,
    );
    expect(kept.filter((packets) => packets > 0)).toHaveLength(64);
    expect(kept[35]).toBe(0);
    expect(kept[36]).toBe(1);

    for (let jump = 0; jump < 4; jump += 1) recordings.add('carol', 'bot', sound(1, jump, jump * 9 * MINUTE_MS * 48));
    const { wav } = recordings.heard('carol', 'bot', 0);
    expect(Buffer.byteLength(wav, 'base64') / 2 / FRAME_SAMPLES).toBeLessThan((10 * MINUTE_MS) / 20 + 2);
  });
});
