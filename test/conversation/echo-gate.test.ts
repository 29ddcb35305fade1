import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../../src/audio/frame.ts';
import { levelDbfs } from '../../src/audio/level.ts';
import { VoiceActivityDetector } from '../../src/audio/vad.ts';
import { BargeIn, isSpeech } from '../../src/conversation/barge-in.ts';
import { EchoGate } from '../../src/conversation/echo-gate.ts';
import { Synthesizer } from '../../src/sandbox/speech.ts';
import { seededRandom } from '../../src/sandbox/voice/random.ts';

const REPLIES = [
  'The train from Geneva arrives at seven in the evening, and it is usually on time unless there is snow on the line.',
  'I think you should add the onions first, let them soften, and only then the garlic.',
  'Well, there are three things to know about this planet. It is cold, it is far away, and nobody lives there.',
];
const OBJECTIONS = [
  'Wait a moment, that is not what I asked about at all.',
  'Hold on, can you tell me the second part again?',
];

const synthesizer = new Synthesizer();
let createActivity: () => VoiceActivityDetector;
let replies: Float64Array[];
let objections: Float64Array[];

beforeAll(async () => {
  createActivity = await VoiceActivityDetector.load();
  replies = await Promise.all(REPLIES.map(async (text) => at(-20, await synthesizer.synthesize(text, 'slt'))));
  objections = await Promise.all(OBJECTIONS.map(async (text) => at(-24, await synthesizer.synthesize(text, 'rms'))));
});
afterAll(() => synthesizer[Symbol.asyncDispose]());

interface Room {
  readonly seed: number;
  readonly delayMs: number;
  /** Time in which sound in the room falls by 60 dB. */
  readonly reverberationMs: number;
}

const ROOMS: readonly Room[] = [
  { seed: 1, delayMs: 100, reverberationMs: 200 },
  { seed: 2, delayMs: 173, reverberationMs: 300 },
  { seed: 3, delayMs: 251, reverberationMs: 500 },
  { seed: 4, delayMs: 320, reverberationMs: 300 },
  { seed: 5, delayMs: 400, reverberationMs: 400 },
];

/** Plays a reply to a speaker whose microphone takes up `heard`; says when it was taken for speech, in ms. */
function interruptedAtMs(reply: Float64Array, heard: Float64Array): number | undefined {
  const gate = new EchoGate();
  const bargeIn = new BargeIn();
  using activity = createActivity();
  for (let number = 0; number * FRAME_SAMPLES < heard.length; number++) {
    // A clock does not begin at nought, and what is heard does not arrive on the beat of what is sent.
    const atMs = 123_456 + number * FRAME_MS;
    const sent = frameOf(reply, number);
    if (number * FRAME_SAMPLES < reply.length) gate.sent(levelDbfs(sent), atMs);
    const frame = frameOf(heard, number);
    const voiced = activity.isVoiced(frame);
    // A client sends what is louder than its gate.
    if (levelDbfs(frame) < -55) continue;
    if (gate.isEcho('speaker', levelDbfs(frame), atMs + 7) || !voiced) continue;
    if (isSpeech(bargeIn.voiced('speaker', atMs, true))) return number * FRAME_MS;
  }
  return undefined;
}

describe('EchoGate', () => {
  it.each(ROOMS)('takes the reply at -20 dB after $delayMs ms for no interruption', (room) => {
    for (const reply of replies) expect(interruptedAtMs(reply, inRoom(reply, room))).toBeUndefined();
  });

  it('would be interrupted by that echo without comparing: it is voiced for long enough', () => {
    const heard = inRoom(replies[0]!, ROOMS[1]!);
    expect(interruptedAtMs(new Float64Array(heard.length), heard)).toBeDefined();
  });

  it.each(ROOMS)(
    'finds who speaks over their own echo within 300 ms of their first sound, after $delayMs ms',
    (room) => {
      for (const [number, reply] of replies.entries()) {
        const objection = objections[number % objections.length]!;
        for (const fromMs of [600, 1900]) {
          const heard = inRoom(reply, room);
          mix(heard, objection, fromMs);
          const foundMs = (interruptedAtMs(reply, heard) ?? Infinity) - fromMs - firstVoiceMs(objection);
          expect(foundMs).toBeGreaterThan(0);
          expect(foundMs).toBeLessThanOrEqual(300);
        }
      }
    },
  );

  it('hears who wears headphones as soon as without a gate, wherever in the reply they speak', () => {
    for (const reply of replies) {
      for (const objection of objections) {
        for (const fromMs of [0, 300, 900, 1700]) {
          const heard = noise(reply.length, 9);
          mix(heard, objection, fromMs);
          const ungated = interruptedAtMs(new Float64Array(heard.length), heard) ?? Number.NaN;
          expect((interruptedAtMs(reply, heard) ?? Infinity) - ungated).toBeLessThanOrEqual(100);
        }
      }
    }
  });

  it('measures anew who left and came back', () => {
    const gate = new EchoGate();
    const level = (i: number): number => -20 - 25 * Math.abs(Math.sin(i * i));
    const isEcho = (i: number): boolean => {
      gate.sent(level(i), i * FRAME_MS);
      return gate.isEcho('speaker', level(i - 10) - 20, i * FRAME_MS);
    };
    for (let i = 0; i < 100; i++) isEcho(i);
    expect(isEcho(100)).toBe(true);
    gate.forget('speaker');
    expect(isEcho(101)).toBe(false);
  });

  it('takes nothing for an echo while the bot is silent', () => {
    const gate = new EchoGate();
    expect(Array.from({ length: 50 }, (_, i) => gate.isEcho('speaker', -30 - (i % 7), i * FRAME_MS))).not.toContain(
      true,
    );
  });
});

/** Brings the voiced part of speech to a level. */
function at(dbfs: number, speech: Int16Array): Float64Array {
  const loud = speech.filter((sample) => Math.abs(sample) > 100);
  const gain = 10 ** ((dbfs - levelDbfs(loud)) / 20);
  return Float64Array.from(speech, (sample) => sample * gain);
}

/** What a microphone takes up of a loudspeaker 20 dB down: late, with the room's echoes, thin, and with some noise. */
function inRoom(sound: Float64Array, { seed, delayMs, reverberationMs }: Room): Float64Array {
  const random = seededRandom(seed);
  const heard = noise(sound.length + SAMPLE_RATE_HZ, seed);
  const reflections = Array.from({ length: 30 }, (_, number) => {
    const afterMs = number === 0 ? 0 : random() * reverberationMs;
    return {
      delay: Math.round(((delayMs + afterMs) * SAMPLE_RATE_HZ) / 1000),
      gain: number === 0 ? 1 : (random() - 0.5) * 10 ** ((-3 * afterMs) / reverberationMs),
    };
  });
  const energy = reflections.reduce((sum, { gain }) => sum + gain * gain, 0);
  let low = 0;
  const thin = sound.map((sample) => {
    low += 0.05 * (sample - low);
    return sample - low;
  });
  const loss = Math.sqrt(power(sound) / power(thin) / energy) / 10;
  for (const { delay, gain } of reflections) {
    for (let i = 0; i < sound.length && i + delay < heard.length; i++) heard[i + delay]! += gain * loss * thin[i]!;
  }
  return heard;
}

/** Hiss at -62 dBFS. */
function noise(length: number, seed: number): Float64Array {
  const random = seededRandom(seed + 100);
  return Float64Array.from({ length }, () => (random() - 0.5) * 90);
}

function power(sound: Float64Array): number {
  return sound.reduce((sum, sample) => sum + sample * sample, 0);
}

function mix(into: Float64Array, sound: Float64Array, fromMs: number): void {
  const from = (fromMs * SAMPLE_RATE_HZ) / 1000;
  for (let i = 0; i < sound.length && from + i < into.length; i++) into[from + i]! += sound[i]!;
}

function frameOf(sound: Float64Array, number: number): Int16Array {
  const frame = new Int16Array(FRAME_SAMPLES);
  frame.set(sound.subarray(number * FRAME_SAMPLES, (number + 1) * FRAME_SAMPLES));
  return frame;
}

/** When a sound is first voiced. */
function firstVoiceMs(sound: Float64Array): number {
  using activity = createActivity();
  let number = 0;
  while (!activity.isVoiced(frameOf(sound, number))) number++;
  return number * FRAME_MS;
}
