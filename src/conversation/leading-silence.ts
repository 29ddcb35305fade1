import { FRAME_SAMPLES, type Frame } from '../audio/frame.ts';
import { levelDbfs } from '../audio/level.ts';

/** Quieter than any voice: what a speaker's room and a model's padding are made of. */
const SILENCE_DBFS = -60;

/** A model's padding is a third of a second at most; longer silence is meant. */
const MAX_TRIMMED_FRAMES = 50;

/** How exactly the beginning is found: 5 ms. */
const BLOCK_SAMPLES = FRAME_SAMPLES / 4;

/**
 * Leaves out the silence that models put before they speak, so that people hear the voice that much sooner. `trimmed` is
 * called for each frame left out. From the first 5 ms that can be heard on it stays as it is.
 */
export async function* withoutLeadingSilence(frames: AsyncIterable<Frame>, trimmed: () => void): AsyncGenerator<Frame> {
  let left = MAX_TRIMMED_FRAMES;
  /** What is left of a frame of the model's, when the voice does not begin with one. */
  let rest: Frame | undefined;
  for await (const frame of frames) {
    if (rest) {
      const missing = FRAME_SAMPLES - rest.length;
      yield joined(rest, frame.subarray(0, missing));
      rest = frame.subarray(missing);
    } else if (left > 0 && levelDbfs(frame) < SILENCE_DBFS) {
      left--;
      trimmed();
    } else {
      const onset = left > 0 ? onsetOf(frame) : 0;
      left = 0;
      if (onset > 0) rest = frame.subarray(onset);
      else yield frame;
    }
  }
  if (rest) yield joined(rest, new Int16Array(0));
}

/** Where in a frame that can be heard its silence ends. */
function onsetOf(frame: Frame): number {
  let at = 0;
  while (levelDbfs(frame.subarray(at, at + BLOCK_SAMPLES)) < SILENCE_DBFS) at += BLOCK_SAMPLES;
  return at < FRAME_SAMPLES ? at : 0;
}

/** One frame of the two, with silence for what is missing. */
function joined(first: Int16Array, second: Int16Array): Frame {
  const frame = new Int16Array(FRAME_SAMPLES);
  frame.set(first);
  frame.set(second, first.length);
  return frame;
}
