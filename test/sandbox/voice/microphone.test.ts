import { setImmediate } from 'node:timers/promises';

import { beforeEach, describe, expect, it } from 'vitest';

import { FRAME_SAMPLES, OPUS_SILENCE } from '../../../src/audio/frame.ts';
import { OpusDecoder } from '../../../src/audio/opus.ts';
import { concatSamples } from '../../../src/audio/pcm.ts';
import { correlate } from '../../../src/audio/similarity.ts';
import { CodedSpeech } from '../../../src/sandbox/voice/coded-speech.ts';
import { Microphone } from '../../../src/sandbox/voice/microphone.ts';
import { seededRandom } from '../../../src/sandbox/voice/random.ts';
import type { RtpPacket } from '../../../src/sandbox/voice/rtp.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** With the coder's look-ahead, one packet more. */
const FIVE_FRAMES = new CodedSpeech(new Int16Array(5 * FRAME_SAMPLES).fill(1000));
const NEVER = new AbortController().signal;

let clock: ManualClock;
let sent: (RtpPacket & { readonly atMs: number })[];
let muted: boolean;
let onSend: () => void;
let microphone: Microphone;

beforeEach(() => {
  clock = new ManualClock();
  sent = [];
  muted = false;
  onSend = () => {};
  microphone = new Microphone(1, clock, seededRandom(1), {
    muted: () => muted,
    send(packet) {
      sent.push({ ...packet, atMs: clock.nowMs() });
      onSend();
    },
  });
});

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 20) {
    await setImmediate();
    clock.advance(20);
  }
  await setImmediate();
}

const silent = ({ payload }: RtpPacket) => payload.equals(OPUS_SILENCE);
const frames = () => sent.map(({ timestamp }) => ((timestamp - (sent[0]?.timestamp ?? 0)) >>> 0) / 960);
const steps = () => sent.map(({ sequence }) => (sequence - (sent[0]?.sequence ?? 0)) & 0xffff);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('a microphone', () => {
  it('sends a frame each 20 ms and five of silence, and its RTP clock runs on in pauses', async () => {
    const first = microphone.talk(FIVE_FRAMES, NEVER);
    await pass(300);
    expect(await first).toEqual({ firstPacketAtMs: 0, lastVoicePacketAtMs: 100, voicePackets: 6, interrupted: false });
    expect(sent.map(({ atMs }) => atMs)).toEqual(upTo(11).map((frame) => frame * 20));
    expect(sent.map(silent)).toEqual([...Array(6).fill(false), ...Array(5).fill(true)]);

    const second = microphone.talk(FIVE_FRAMES, NEVER);
    await pass(300);
    await second;
    expect(steps()).toEqual(upTo(22));
    expect(frames()).toEqual(sent.map(({ atMs }) => atMs / 20));
  });

  it('makes up for a late timer with a burst', async () => {
    const speech = microphone.talk(FIVE_FRAMES, NEVER);
    await setImmediate();
    clock.advance(130);
    await setImmediate();
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 130, 130, 130, 130, 130, 130]);
    await pass(100);
    await speech;
    expect(frames()).toEqual(upTo(11));
  });

  it('sends nothing while it is muted, and goes on where the time is by then', async () => {
    const speech = microphone.talk(FIVE_FRAMES, NEVER);
    await pass(40);
    muted = true;
    await pass(60);
    muted = false;
    await pass(200);
    expect((await speech).voicePackets).toBeLessThan(6);
    expect(steps()).toEqual(upTo(sent.length));
    expect(frames()).toEqual(sent.map(({ atMs }) => atMs / 20));
  });

  it('ends with its silence frames when it is stopped, and without when it is gone, even in a burst', async () => {
    const stop = new AbortController();
    const stopped = microphone.talk(FIVE_FRAMES, stop.signal);
    await pass(40);
    stop.abort();
    await pass(200);
    expect(await stopped).toMatchObject({ interrupted: true, voicePackets: 3 });
    expect(sent.map(silent)).toEqual([...Array(3).fill(false), ...Array(5).fill(true)]);

    sent.length = 0;
    const gone = microphone.talk(FIVE_FRAMES, NEVER);
    await setImmediate();
    onSend = () => queueMicrotask(() => microphone[Symbol.dispose]());
    clock.advance(1000);
    expect(await gone).toMatchObject({ interrupted: true, voicePackets: 2 });
    expect(sent).toHaveLength(2);
    expect(await microphone.talk(FIVE_FRAMES, NEVER)).toMatchObject({ interrupted: true, voicePackets: 0 });
  });

  it('says a recording again in packets that sound as the first time', async () => {
    const sine = new CodedSpeech(Int16Array.from({ length: 24_000 }, (_, at) => 8000 * Math.sin(at / 9)));
    for (let time = 0; time < 3; time++) {
      const spoken = microphone.talk(sine, NEVER);
      await pass(1200);
      await spoken;
    }
    using decoder = new OpusDecoder();
    const heard = sent.map(({ payload }) => decoder.decode(payload));
    const times = upTo(3).map((time) => concatSamples(heard.slice(time * 56, time * 56 + 51)));
    for (const sound of times) expect(correlate(sine.samples, sound).correlation).toBeGreaterThan(0.99);
    const [, second, third] = upTo(3).map((time) =>
      sent.slice(time * 56, time * 56 + 51).map(({ payload }) => payload),
    );
    expect(third).toEqual(second);
  });
});
