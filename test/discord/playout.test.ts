import { setImmediate as settled } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { FRAME_SAMPLES, OPUS_SILENCE, type Frame } from '../../src/audio/frame.ts';
import { FrameQueue } from '../../src/audio/frame-queue.ts';
import { Playout, type OpusSink, type SendResult } from '../../src/discord/playout.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { silentLog } from '../support/silent-log.ts';

/** A voice connection that writes down what it was given, and when. */
class RecordingSink implements OpusSink {
  readonly #clock: ManualClock;
  readonly sent: { atMs: number; silence: boolean }[] = [];
  readonly speaking: { on: boolean; after: number }[] = [];
  result: SendResult = 'sent';

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  sendOpus(packet: Uint8Array): SendResult {
    if (this.result === 'sent') {
      this.sent.push({ atMs: this.#clock.nowMs(), silence: Buffer.from(packet).equals(OPUS_SILENCE) });
    }
    return this.result;
  }

  setSpeaking(on: boolean): void {
    this.speaking.push({ on, after: this.sent.length });
  }

  get voiceAtMs(): number[] {
    return this.sent.filter(({ silence }) => !silence).map(({ atMs }) => atMs);
  }

  get silenceAtMs(): number[] {
    return this.sent.filter(({ silence }) => silence).map(({ atMs }) => atMs);
  }
}

class Stage {
  readonly clock = new ManualClock();
  readonly sink = new RecordingSink(this.clock);
  readonly playout = new Playout({ sink: this.sink, clock: this.clock, log: silentLog });
  readonly source = new FrameQueue<Frame>(10_000);
  readonly abort = new AbortController();

  /** Frames of a tone: never coded as silence. */
  supply(count: number): void {
    for (let index = 0; index < count; index++) this.source.offer(tone());
  }

  play() {
    return this.playout.play(this.source, this.abort.signal);
  }

  /** Lets time pass, `stepMs` at a time: no timer is later than that. */
  async pass(ms: number, stepMs = 1): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(stepMs);
      await settled();
    }
  }
}

function tone(): Frame {
  return Int16Array.from({ length: FRAME_SAMPLES }, (_, sample) => Math.round(8000 * Math.sin(sample / 4)));
}

async function* failingAfter(count: number): AsyncGenerator<Frame> {
  for (let index = 0; index < count; index++) yield tone();
  throw new RangeError('no more');
}

const gaps = (times: readonly number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));
const every20Ms = (count: number, fromMs = 0) => Array.from({ length: count }, (_, index) => fromMs + index * 20);

describe('Playout', () => {
  it('sends the first frame at once, the rest 20 ms apart, then five silence frames', async () => {
    const stage = new Stage();
    const playing = stage.play();
    await stage.pass(37);
    expect(stage.sink.sent).toEqual([]);
    stage.supply(10);
    stage.source.end();
    await settled();
    expect(stage.sink.voiceAtMs).toEqual([37]);
    await stage.pass(400);
    expect(stage.sink.voiceAtMs).toEqual(every20Ms(10, 37));
    expect(stage.sink.silenceAtMs).toEqual(every20Ms(5, 237));
    expect(stage.sink.speaking).toEqual([
      { on: true, after: 0 },
      { on: false, after: 15 },
    ]);
    await expect(playing).resolves.toEqual({ playedFrames: 10, firstFrameAtMs: 37, complete: true });
  });

  it('does not drift when every timer is late', async () => {
    const stage = new Stage();
    const playing = stage.play();
    stage.supply(501);
    stage.source.end();
    await settled();
    await stage.pass(10_500, 7);
    const { voiceAtMs } = stage.sink;
    expect(voiceAtMs).toHaveLength(501);
    expect(Math.abs((voiceAtMs.at(-1) ?? 0) - 10_000)).toBeLessThanOrEqual(7);
    await playing;
  });

  it('pauses without loss when the source runs dry, and covers a long gap with silence once', async () => {
    const stage = new Stage();
    const playing = stage.play();
    stage.supply(5);
    await settled();
    await stage.pass(500);
    expect(stage.sink.voiceAtMs).toEqual(every20Ms(5));
    // Due at 100 ms, given up on 100 ms later.
    expect(stage.sink.silenceAtMs).toEqual([200, 200, 200, 200, 200]);
    stage.supply(5);
    stage.source.end();
    await settled();
    await stage.pass(300);
    expect(stage.sink.voiceAtMs).toEqual([...every20Ms(5), ...every20Ms(5, 500)]);
    expect((await playing).playedFrames).toBe(10);
  });

  it('sends no silence into a short gap', async () => {
    const stage = new Stage();
    const playing = stage.play();
    stage.supply(2);
    await settled();
    await stage.pass(110);
    stage.supply(2);
    stage.source.end();
    await settled();
    await stage.pass(200);
    expect(stage.sink.voiceAtMs).toEqual([0, 20, 110, 130]);
    expect(stage.sink.silenceAtMs).toEqual(every20Ms(5, 150));
    await playing;
  });

  it('catches up after a late timer with five frames at most', async () => {
    const stage = new Stage();
    const playing = stage.play();
    stage.supply(60);
    stage.source.end();
    await settled();
    await stage.pass(60);
    stage.clock.advance(500);
    await settled();
    await stage.pass(1200);
    const bursts = Map.groupBy(stage.sink.voiceAtMs, (atMs) => atMs);
    expect(bursts.get(560)).toHaveLength(5);
    expect(stage.sink.voiceAtMs).toHaveLength(60);
    expect(gaps(stage.sink.voiceAtMs.filter((atMs) => atMs > 560)).every((gap) => gap === 20)).toBe(true);
    await playing;
  });

  it('catches up on one late frame without a jump of the schedule', async () => {
    const stage = new Stage();
    const playing = stage.play();
    stage.supply(10);
    stage.source.end();
    await settled();
    await stage.pass(20);
    stage.clock.advance(35);
    await settled();
    await stage.pass(300);
    expect(stage.sink.voiceAtMs).toEqual([0, 20, 55, ...every20Ms(7, 60)]);
    await playing;
  });

  it('lets nothing of the reply out after an abort, only silence', async () => {
    const stage = new Stage();
    const playing = stage.play();
    stage.supply(50);
    await settled();
    await stage.pass(105);
    stage.abort.abort();
    const voiced = stage.sink.voiceAtMs.length;
    await settled();
    expect(stage.sink.voiceAtMs).toHaveLength(voiced);
    expect(stage.sink.silenceAtMs).toEqual([105, 105, 105, 105, 105]);
    expect(stage.sink.speaking.at(-1)).toEqual({ on: false, after: voiced + 5 });
    await expect(playing).resolves.toEqual({ playedFrames: 6, firstFrameAtMs: 0, complete: false });
    await stage.pass(500);
    expect(stage.sink.sent).toHaveLength(voiced + 5);
  });

  it('sends nothing at all for a reply that was aborted before its first frame', async () => {
    const stage = new Stage();
    const playing = stage.play();
    await stage.pass(50);
    stage.abort.abort();
    await expect(playing).resolves.toEqual({ playedFrames: 0, firstFrameAtMs: undefined, complete: false });
    expect(stage.sink.sent).toEqual([]);
  });

  it('holds the reply while the connection recovers and goes on where it was', async () => {
    const stage = new Stage();
    const playing = stage.play();
    stage.supply(10);
    stage.source.end();
    await settled();
    await stage.pass(50);
    stage.sink.result = 'not-ready';
    await stage.pass(1000);
    stage.sink.result = 'sent';
    await stage.pass(400);
    const { voiceAtMs } = stage.sink;
    expect(voiceAtMs).toHaveLength(10);
    expect(gaps(voiceAtMs.slice(3)).every((gap) => gap === 20)).toBe(true);
    await expect(playing).resolves.toMatchObject({ playedFrames: 10, complete: true });
  });

  it.each([
    { result: 'not-ready' as const, afterMs: 5_100 },
    { result: 'gone' as const, afterMs: 40 },
  ])('ends incomplete when the connection is $result for too long', async ({ result, afterMs }) => {
    const stage = new Stage();
    const playing = stage.play();
    stage.supply(100);
    await settled();
    await stage.pass(50);
    stage.sink.result = result;
    await stage.pass(afterMs, 10);
    await expect(playing).resolves.toMatchObject({ playedFrames: 3, complete: false });
  });

  it('plays one reply after the other', async () => {
    const stage = new Stage();
    const second = new FrameQueue<Frame>(10);
    for (let index = 0; index < 3; index++) second.offer(tone());
    second.end();
    stage.supply(3);
    stage.source.end();
    const playing = Promise.all([stage.play(), stage.playout.play(second, stage.abort.signal)]);
    await settled();
    await stage.pass(500);
    expect(stage.sink.voiceAtMs).toEqual([...every20Ms(3), ...every20Ms(3, 140)]);
    await expect(playing).resolves.toMatchObject([{ playedFrames: 3 }, { playedFrames: 3 }]);
  });

  it('lets a reply that waits for its turn be aborted, and the next one through', async () => {
    const stage = new Stage();
    stage.supply(5);
    const first = stage.play();
    const abort = new AbortController();
    const waiting = stage.playout.play(new FrameQueue<Frame>(1), abort.signal);
    await settled();
    await stage.pass(20);
    abort.abort();
    await expect(waiting).resolves.toMatchObject({ playedFrames: 0, complete: false });
    expect(stage.sink.voiceAtMs).toHaveLength(2);
    stage.source.end();
    await stage.pass(300);
    await expect(first).resolves.toMatchObject({ playedFrames: 5, complete: true });
  });

  it('takes frames one ahead at most', async () => {
    const stage = new Stage();
    let taken = 0;
    async function* frames(): AsyncGenerator<Frame> {
      for (; taken < 100; taken++) yield tone();
    }
    const playing = stage.playout.play(frames(), stage.abort.signal);
    await settled();
    await stage.pass(200);
    expect(taken - stage.sink.voiceAtMs.length).toBeLessThanOrEqual(1);
    stage.abort.abort();
    await playing;
  });

  it('plays what came before an error of the source, then passes the error on', async () => {
    const stage = new Stage();
    const playing = stage.playout.play(failingAfter(2), stage.abort.signal);
    const failed = expect(playing).rejects.toThrow(RangeError);
    await settled();
    await stage.pass(100);
    await failed;
    expect(stage.sink.voiceAtMs).toEqual([0, 20]);
    expect(stage.sink.silenceAtMs).toHaveLength(5);
    expect(stage.sink.speaking.at(-1)?.on).toBe(false);
  });
});
