import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FRAME_MS, FRAME_SAMPLES } from '../../src/audio/frame.ts';
import { levelDbfs } from '../../src/audio/level.ts';
import { HeardText } from '../../src/conversation/heard-text.ts';
import type { SandboxVoice } from '../../src/sandbox/control/protocol.ts';
import { Synthesizer } from '../../src/sandbox/speech.ts';

const WORDS = 'The quick brown fox jumps over the lazy dog while nobody looks';

/** A reply whose transcript runs ahead of its sound: 100 frames in all. */
function reply(): HeardText {
  const heard = new HeardText();
  heard.addText(WORDS);
  for (let frame = 0; frame < 100; frame++) heard.addFrame();
  return heard;
}

describe('HeardText', () => {
  it('gives everything when everything was played', () => {
    expect(reply().upTo(100, true)).toBe(WORDS);
  });

  it('gives nothing when nothing was played', () => {
    expect(reply().upTo(0, true)).toBe('');
  });

  it('gives about the share that was played, in whole words', () => {
    const half = reply().upTo(50, true);
    expect(WORDS.startsWith(half)).toBe(true);
    expect(WORDS[half.length]).toMatch(/\s/);
    expect(Math.abs(half.length - WORDS.length / 2)).toBeLessThan(8);
  });

  it('grows with what was played', () => {
    const heard = reply();
    const lengths = Array.from({ length: 101 }, (_, frames) => heard.upTo(frames, true).length);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  });

  it('never claims words that came after the sound that was played', () => {
    const heard = new HeardText();
    heard.addText('First part. ');
    for (let frame = 0; frame < 50; frame++) heard.addFrame();
    heard.addText('Second part, which is a good deal longer than the first one was.');
    for (let frame = 0; frame < 50; frame++) heard.addFrame();
    expect(heard.upTo(45, true)).toBe('First part.');
  });

  it('guesses by the pace of speech while the reply is still coming', () => {
    const heard = reply();
    expect(heard.upTo(50, false).length).toBeLessThanOrEqual(24);
  });
});

/**
 * Speech whose word times are known: a word ends where the synthesiser comes to when it is asked for the text up to it.
 * That is up to 0.2 s late, since a last word is drawn out.
 */
const SPOKEN: readonly { voice: SandboxVoice; text: string; endsMs: readonly number[] }[] = [
  {
    voice: 'slt',
    text: 'The train from Geneva arrives at seven in the evening, and it is usually on time unless there is snow.',
    endsMs: [
      230, 620, 800, 1220, 1790, 1850, 2260, 2390, 2390, 2860, 3310, 3310, 3580, 3980, 4250, 4660, 4940, 5220, 5240,
      5630,
    ],
  },
  {
    voice: 'rms',
    text: 'Well, there are three things to know: it is cold, it is far away, and nobody lives there at all.',
    endsMs: [
      460, 1040, 1360, 1530, 1940, 2070, 2380, 2690, 3030, 3340, 3680, 4010, 4360, 4630, 5110, 5780, 6140, 6550, 6560,
      6860,
    ],
  },
  {
    voice: 'awb',
    text: 'I think you should add the onions first, let them soften for a while, and only then the garlic and the wine.',
    endsMs: [
      280, 570, 760, 1020, 1280, 1280, 1830, 2370, 2930, 3130, 3450, 3710, 3710, 4050, 4640, 4780, 5070, 5090, 5600,
      5830, 5830, 6130,
    ],
  },
  {
    voice: 'kal',
    text: 'Nobody knows who built the old bridge, but people say that it was there before the village, which is hard to believe.',
    endsMs: [
      780, 1020, 1140, 1360, 1510, 1840, 2070, 2580, 3180, 3500, 3500, 3800, 4140, 4220, 4480, 4520, 4960, 5520, 5670,
      5890, 6020, 6500,
    ],
  },
];

describe('HeardText on speech', () => {
  const synthesizer = new Synthesizer();
  afterAll(() => synthesizer[Symbol.asyncDispose]());
  let replies: { heard: HeardText; endsMs: readonly number[]; frames: number }[];

  beforeAll(async () => {
    replies = await Promise.all(
      SPOKEN.map(async ({ voice, text, endsMs }) => {
        const sound = await synthesizer.synthesize(text, voice);
        const frames = Math.floor(sound.length / FRAME_SAMPLES);
        const words = text.match(/\s*\S+/g) ?? [];
        const heard = new HeardText();
        let told = 0;
        for (let frame = 0; frame < frames; frame++) {
          // The transcript is ahead by a second, as with a model.
          for (; told < words.length && (endsMs[told - 1] ?? 0) < frame * FRAME_MS + 1000; told++) {
            heard.addText(words[told] ?? '');
          }
          heard.addFrame(levelDbfs(sound.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES)));
        }
        return { heard, endsMs, frames };
      }),
    );
  });

  /** Words too many or too few, without sign, at every 100 ms of every reply. */
  function errors(ended: boolean): number[] {
    return replies.flatMap(({ heard, endsMs, frames }) =>
      Array.from({ length: Math.floor(frames / 5) }, (_, cut) => {
        const words = heard
          .upTo(cut * 5, ended)
          .split(' ')
          .filter(Boolean).length;
        const spoken = endsMs.filter((endMs) => endMs <= cut * 100).length;
        return Math.abs(words - spoken);
      }),
    );
  }

  it.each([
    ['had come to its end', true, 1],
    ['was still coming, so that its pace is a guess', false, 3],
  ])(
    'is off by one word in the middle, and little more in nine cuts of ten, when the reply %s',
    (_, ended, mostWords) => {
      const off = errors(ended).toSorted((a, b) => a - b);
      expect(off.length).toBeGreaterThan(200);
      expect(off[Math.floor(off.length / 2)]).toBeLessThanOrEqual(1);
      expect(off[Math.floor(off.length * 0.9)]).toBeLessThanOrEqual(mostWords);
    },
  );
});
