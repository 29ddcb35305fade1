import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { FRAME_SAMPLES } from '../../src/audio/frame.ts';
import { Framer } from '../../src/audio/framer.ts';
import { noise, sequence } from './sounds.ts';

it('cuts pieces of any length into whole frames and pads only the last', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1500), { maxLength: 12 }), (lengths) => {
      const pieces = lengths.map((length, index) => noise(length, 30_000, index + 1));
      const sound = sequence(...pieces);
      const framer = new Framer();
      const frames = pieces.flatMap((piece) => framer.push(piece));
      expect(frames).toHaveLength(Math.floor(sound.length / FRAME_SAMPLES));

      const last = framer.flush();
      if (last) frames.push(last);
      expect(frames.every((frame) => frame.length === FRAME_SAMPLES)).toBe(true);
      const padded = new Int16Array(Math.ceil(sound.length / FRAME_SAMPLES) * FRAME_SAMPLES);
      padded.set(sound);
      expect(sequence(...frames)).toEqual(padded);
      expect(framer.flush()).toBeUndefined();
    }),
  );
});

it('gives frames that stay as they are when the caller uses its buffer again', () => {
  const buffer = new Int16Array(FRAME_SAMPLES).fill(7);
  const [frame] = new Framer().push(buffer);
  buffer.fill(0);
  expect(frame?.[0]).toBe(7);
});
