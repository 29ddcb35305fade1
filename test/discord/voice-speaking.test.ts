import { afterEach, describe, expect, it } from 'vitest';

import { FRAME_SAMPLES, type Frame } from '../../src/audio/frame.ts';
import { FrameQueue } from '../../src/audio/frame-queue.ts';
import { toInt16 } from '../../src/audio/pcm.ts';
import { correlate } from '../../src/audio/similarity.ts';
import { decodeWav } from '../../src/audio/wav.ts';
import { Playout } from '../../src/discord/playout.ts';
import type { VoiceLink } from '../../src/discord/voice-link.ts';
import type { Heard } from '../../src/sandbox/control/protocol.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { silentLog } from '../support/silent-log.ts';
import { babble, BOT_ID, VoiceRoom } from './support/voice-room.ts';

const ALICE = '11';

let room: VoiceRoom;
afterEach(() => room[Symbol.asyncDispose]());

async function joined(daveVersion: 0 | 1 = 1): Promise<VoiceLink> {
  room = await VoiceRoom.start(daveVersion);
  room.addPerson(ALICE);
  const link = await room.join();
  await room.ready();
  return link;
}

const playoutOver = (sink: VoiceLink) => new Playout({ sink, clock: monotonicClock, log: silentLog });
const heard = () => room.voice.methods.heard({ personId: ALICE, fromUserId: BOT_ID });
/** What Alice heard, packet by packet: a loaded machine delivers it a little later than it was played. */
const kinds = async () => (await heard()).packets.map(({ silence }) => (silence ? 'silence' : 'sound'));
const replyOf = (frames: number) => [
  ...Array.from({ length: frames }, () => 'sound'),
  ...Array.from({ length: 5 }, () => 'silence'),
];
const soundOf = ({ wav }: Heard) => toInt16(decodeWav(Buffer.from(wav, 'base64')).channels[0] ?? new Float32Array());

function framesOf(sound: Int16Array): FrameQueue<Frame> {
  const frames = new FrameQueue<Frame>(1_000);
  for (let start = 0; start < sound.length; start += FRAME_SAMPLES) {
    frames.offer(sound.subarray(start, start + FRAME_SAMPLES));
  }
  frames.end();
  return frames;
}

describe('a reply in the channel', () => {
  it.each([1, 0] as const)('is heard as it was made, with DAVE %i', async (daveVersion) => {
    const link = await joined(daveVersion);
    const reply = babble(600);
    const playback = await playoutOver(link).play(framesOf(reply), new AbortController().signal);
    expect(playback).toMatchObject({ playedFrames: 30, complete: true });
    await expect.poll(kinds).toEqual(replyOf(30));
    const recording = await heard();
    expect(correlate(reply, soundOf(recording)).correlation).toBeGreaterThan(0.95);
  });

  it('keeps its pace on the wire', async () => {
    const link = await joined();
    const { firstFrameAtMs = 0 } = await playoutOver(link).play(framesOf(babble(1_000)), new AbortController().signal);
    await expect.poll(kinds).toEqual(replyOf(50));
    const { packets } = await heard();
    const lateMs = packets.slice(0, 50).map(({ atMs }, index) => atMs - firstFrameAtMs - index * 20);
    // Never ahead of its time but for a timer's own grain. How late one is, is the machine's affair.
    expect(Math.min(...lateMs)).toBeGreaterThan(-2);
  });

  it('stops when it is aborted: nothing of it is heard after', async () => {
    const link = await joined();
    const stop = new AbortController();
    const playing = playoutOver(link).play(framesOf(babble(2_000)), stop.signal);
    await room.until(() => room.events.some((event) => event.type === 'bot-speaking' && event.speaking), 'speech');
    stop.abort();
    const { playedFrames, complete } = await playing;
    expect(complete).toBe(false);
    expect(playedFrames).toBeLessThan(100);
    await expect.poll(kinds).toEqual(replyOf(playedFrames));
  });

  it('is held while the call moves to another server, and goes on without loss', async () => {
    const link = await joined();
    const reply = babble(800);
    const playing = playoutOver(link).play(framesOf(reply), new AbortController().signal);
    await room.until(() => room.events.some((event) => event.type === 'bot-speaking' && event.speaking), 'speech');
    await room.voice.methods.voiceFault({ kind: 'move-server' });
    await expect(playing).resolves.toMatchObject({ playedFrames: 40, complete: true });
    expect(room.states.map(({ status }) => status)).toEqual(['connecting', 'ready', 'recovering', 'ready']);
    await expect.poll(async () => (await kinds()).filter((kind) => kind === 'sound')).toHaveLength(40);
  });

  it('ends incomplete when the link is gone', async () => {
    const link = await joined();
    const playing = playoutOver(link).play(framesOf(babble(2_000)), new AbortController().signal);
    await room.until(() => room.events.some((event) => event.type === 'bot-speaking' && event.speaking), 'speech');
    room.kick();
    await expect(playing).resolves.toMatchObject({ complete: false });
  });
});
