import type { Frame } from '../audio/frame.ts';
import { levelDbfs } from '../audio/level.ts';

/** Quieter than any voice: what a speaker's room and a model's padding are made of. */
const SILENCE_DBFS = -60;

/** A model's padding is a third of a second at most; longer silence is meant. */
const MAX_TRIMMED_FRAMES = 50;

/**
 * Leaves out the silence that models put before they speak, so that people hear the voice that much sooner. `trimmed` is
 * called for each frame left out. What follows the first audible frame stays as it is.
 */
export async function* withoutLeadingSilence(frames: AsyncIterable<Frame>, trimmed: () => void): AsyncGenerator<Frame> {
  let left = MAX_TRIMMED_FRAMES;
  for await (const frame of frames) {
    if (left > 0 && levelDbfs(frame) < SILENCE_DBFS) {
      left--;
      trimmed();
      continue;
    }
    left = 0;
    yield frame;
  }
}
