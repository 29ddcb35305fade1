import { execFile } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';

import { OpusDecoder, OpusEncoder } from '../../src/audio/opus.ts';
import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../../src/audio/frame.ts';
import { concatSamples } from '../../src/audio/pcm.ts';
import type { SandboxVoice } from '../../src/sandbox/control/protocol.ts';
import { SpeechError, Synthesizer } from '../../src/sandbox/speech.ts';
import { sayable, splitSentences } from '../../src/sandbox/speech/sentences.ts';

const synthesizer = new Synthesizer();
afterAll(() => synthesizer[Symbol.asyncDispose]());

const seconds = (samples: Int16Array): number => samples.length / SAMPLE_RATE_HZ;
const peak = (samples: Int16Array): number => samples.reduce((max, sample) => Math.max(max, Math.abs(sample)), 0);

/** As it would come back from a voice channel. */
function throughOpus(samples: Int16Array): Int16Array {
  using encoder = new OpusEncoder('live');
  using decoder = new OpusDecoder();
  const frames: Int16Array[] = [];
  for (let at = 0; at < samples.length; at += FRAME_SAMPLES) {
    const frame = new Int16Array(FRAME_SAMPLES);
    frame.set(samples.subarray(at, at + FRAME_SAMPLES));
    frames.push(decoder.decode(encoder.encode(frame)));
  }
  return concatSamples(frames);
}

describe('speaking', () => {
  test('a sentence lasts as long as a person would take, and begins and ends at once', async () => {
    const spoken = await synthesizer.synthesize('Good morning, this is a test of the synthesiser.');
    expect(seconds(spoken)).toBeGreaterThan(2);
    expect(seconds(spoken)).toBeLessThan(5);
    const edge = SAMPLE_RATE_HZ / 10;
    for (const end of [spoken.subarray(0, edge), spoken.subarray(-edge)]) expect(peak(end)).toBeGreaterThan(100);
    expect(peak(spoken)).toBeGreaterThan(4_000);
  });

  test('each person has a voice of their own', async () => {
    const voices: SandboxVoice[] = ['slt', 'rms', 'awb', 'kal'];
    const spoken = await Promise.all(voices.map((voice) => synthesizer.synthesize('Who is speaking?', voice)));
    expect(new Set(spoken.map(({ length }) => length)).size).toBe(voices.length);
  });

  test('a text of several sentences is all of them, with pauses', async () => {
    const [first, second, both] = await Promise.all(
      ['It rains.', 'Take a coat.', 'It rains. Take a coat.'].map((text) => synthesizer.synthesize(text)),
    );
    expect(seconds(both!)).toBeCloseTo(seconds(first!) + seconds(second!) + 0.2, 3);
  });

  test.each([
    'Привет, мир',
    '你好世界',
    'مرحبا',
    '😀🎉',
    '!!!',
    '\u{d800}',
    '\u0000\u0007',
    '<speak>&amp;',
    '-t',
    '--help',
  ])('the text %j is heard as something short', async (text) => {
    const spoken = await synthesizer.synthesize(text);
    expect(seconds(spoken)).toBeGreaterThan(0.1);
    expect(seconds(spoken)).toBeLessThan(3);
    expect(peak(spoken)).toBeGreaterThan(500);
  });

  test('an empty text is an empty sound', async () => {
    expect(await synthesizer.synthesize('')).toHaveLength(0);
    expect(await synthesizer.synthesize(' \n ')).toHaveLength(0);
  });

  test('the main thread stays free while a long text is spoken', async () => {
    const before = performance.eventLoopUtilization();
    await synthesizer.synthesize(
      'The weather will stay dry and mild until the weekend. '.repeat(2) + 'Really.'.repeat(9),
      'rms',
    );
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
  });
});

describe('cutting texts', () => {
  test('at sentences, without losing or adding anything', () => {
    const text = `One. Two!  Three?\nFour; ${'very '.repeat(80)}long, ${'x'.repeat(500)} end`;
    const pieces = splitSentences(text);
    expect(pieces.slice(0, 3)).toEqual(['One.', 'Two!', 'Three?']);
    expect(pieces.join(' ')).toBe(text.split(/\s+/u).join(' '));
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(500);
  });

  test('accents are taken off, what has no English letters is left out', () => {
    expect(sayable('Crème brûlée – “so good”…')).toBe('Creme brulee - "so good"...');
    expect(sayable('дом house 家')).toBe('house');
    expect(sayable('…!')).toBe('');
    expect(
      Math.max(
        ...sayable('x'.repeat(3_000))
          .split(' ')
          .map(({ length }) => length),
      ),
    ).toBe(40);
  });
});

describe('knowing its own speech again', () => {
  test('after a codec, quieter, and with its beginning cut', async () => {
    const words = 'What should we play tonight?';
    const spoken = await synthesizer.synthesize(words, 'slt');
    await synthesizer.synthesize('I would like something with dragons.', 'slt');
    const heard = throughOpus(spoken).map((sample) => sample / 3);
    expect(await synthesizer.recognize(heard)).toBe(words);
    expect(await synthesizer.recognize(heard.subarray(SAMPLE_RATE_HZ / 8))).toBe(words);
  });

  test('several sentences in the order they are spoken, with other sound between them', async () => {
    const dragons = await synthesizer.synthesize('There are dragons on the roof.', 'rms');
    const tea = await synthesizer.synthesize('Would you like a cup of tea?', 'awb');
    const silence = new Int16Array(SAMPLE_RATE_HZ);
    const recording = concatSamples([silence, tea, silence, dragons, silence]);
    expect(await synthesizer.recognize(throughOpus(recording))).toBe(
      'Would you like a cup of tea? There are dragons on the roof.',
    );
  });

  test('not other speech: the same words by another voice it never made, noise, silence', async () => {
    await using stranger = new Synthesizer();
    const other = await stranger.synthesize('The library closes at six on Fridays.', 'kal');
    expect(await synthesizer.recognize(other)).toBeUndefined();
    const noise = Int16Array.from({ length: 2 * SAMPLE_RATE_HZ }, (_, i) => ((i * 7919) % 20_011) - 10_000);
    expect(await synthesizer.recognize(noise)).toBeUndefined();
    expect(await synthesizer.recognize(new Int16Array(SAMPLE_RATE_HZ))).toBeUndefined();
    expect(await synthesizer.recognize(new Int16Array(10))).toBeUndefined();
  });
});

test('once disposed it refuses, and what was waiting is told', async () => {
  const short = new Synthesizer();
  const waiting = Promise.allSettled([short.synthesize('This is under way.'), short.synthesize('This has to wait.')]);
  await short[Symbol.asyncDispose]();
  expect(await waiting).toHaveLength(2);
  await expect(short.synthesize('Too late.')).rejects.toBeInstanceOf(SpeechError);
});

test('a process that has spoken ends by itself, and prints no warning', async () => {
  const url = new URL('../../src/sandbox/speech.ts', import.meta.url).href;
  const script = `import { Synthesizer } from '${url}';
    const spoken = await new Synthesizer().synthesize('Hello.');
    console.log(spoken.length > 5_000);`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 20_000,
  });
  expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: 'true', stderr: '' });
});
