import { setImmediate as settled } from 'node:timers/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { FRAME_SAMPLES, OPUS_SILENCE } from '../../src/audio/frame.ts';
import { OpusEncoder } from '../../src/audio/opus.ts';
import { correlate } from '../../src/audio/similarity.ts';
import type { Speaker, VoiceInputEvent } from '../../src/conversation/ports.ts';
import { VoiceTracks } from '../../src/discord/voice-input.ts';
import type { PacketSink, VoicePacket } from '../../src/discord/voice-packets.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { silentLog } from '../support/silent-log.ts';
import { seededRandom } from './support/sealed-packet.ts';

const ALICE: Speaker = { id: '1', name: 'Alice' };
const BOB: Speaker = { id: '2', name: 'Bob' };

/** A channel whose packets the test hands over itself. */
class Channel implements Disposable {
  readonly clock = new ManualClock();
  readonly members = new Map([ALICE, BOB].map((speaker) => [speaker.id, speaker]));
  readonly events: VoiceInputEvent[] = [];
  readonly input: VoiceTracks;
  readonly #stop = new AbortController();
  #sink: PacketSink | undefined;

  constructor() {
    this.input = new VoiceTracks({
      source: {
        receive: (sink) => {
          this.#sink = sink;
          return { [Symbol.dispose]: () => (this.#sink = undefined) };
        },
      },
      admit: (userId) => this.members.get(userId),
      clock: this.clock,
      log: silentLog,
    });
  }

  get listening(): boolean {
    return this.#sink !== undefined;
  }

  async listen(): Promise<void> {
    for await (const event of this.input.listen(this.#stop.signal)) this.events.push(event);
  }

  /** Packet `index` of a member's track, at the time it is due. */
  packet(index: number, opus: Uint8Array, userId = ALICE.id, packetMs = 20): VoicePacket {
    return {
      userId,
      ssrc: Number(userId),
      sequence: index & 0xffff,
      timestamp: (index * packetMs * 48) >>> 0,
      atMs: this.clock.nowMs(),
      opus: Buffer.from(opus),
    };
  }

  deliver(packet: VoicePacket): void {
    if (this.#sink?.wants(packet.userId)) this.#sink.accept(packet);
  }

  get frames() {
    return this.events.filter((event) => event.type === 'frame');
  }

  sound(speaker = ALICE): Int16Array {
    const frames = this.frames.filter((event) => event.speaker.id === speaker.id);
    return Int16Array.from(frames.flatMap(({ frame }) => [...frame]));
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }
}

/** Something like a voice: a falling tone with overtones, in syllables. */
function voice(ms: number, baseHz = 140): Int16Array {
  return Int16Array.from({ length: (ms * 24_000) / 1000 }, (_, sample) => {
    const seconds = sample / 24_000;
    const syllable = 0.5 - 0.5 * Math.cos(2 * Math.PI * 4 * seconds);
    const phase = 2 * Math.PI * (baseHz * seconds - 10 * seconds * seconds);
    return Math.round(6000 * syllable * (Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.3 * Math.sin(5 * phase)));
  });
}

function encode(sound: Int16Array): Uint8Array[] {
  using encoder = new OpusEncoder('live');
  return Array.from({ length: sound.length / FRAME_SAMPLES }, (_, index) =>
    encoder.encode(sound.subarray(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES)),
  );
}

describe('VoiceTracks', () => {
  let channel: Channel;
  const open = (): Channel => (channel = new Channel());
  afterEach(() => channel[Symbol.dispose]());

  it('gives each speaker on their own track, at once, as it was spoken', async () => {
    const { clock, events } = open();
    void channel.listen();
    await settled();
    const [alice, bob] = [voice(2000), voice(2000, 220)];
    const [fromAlice, fromBob] = [encode(alice), encode(bob)];
    for (let index = 0; index < 100; index++) {
      channel.deliver(channel.packet(index, fromAlice[index] ?? OPUS_SILENCE));
      channel.deliver(channel.packet(index, fromBob[index] ?? OPUS_SILENCE, BOB.id));
      await settled();
      expect(events).toHaveLength(2 * (index + 1));
      clock.advance(20);
    }
    expect(channel.frames.every(({ frame, concealed }) => frame.length === FRAME_SAMPLES && !concealed)).toBe(true);
    expect(channel.frames.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 200 }, (_, n) => 20 * (n >> 1)));
    expect(correlate(alice, channel.sound(ALICE)).correlation).toBeGreaterThan(0.95);
    expect(correlate(bob, channel.sound(BOB)).correlation).toBeGreaterThan(0.95);
    expect(Math.abs(correlate(alice, channel.sound(BOB)).correlation)).toBeLessThan(0.3);
  });

  it('keeps length and sound through loss, reordering and duplicates', async () => {
    const { clock } = open();
    void channel.listen();
    await settled();
    const spoken = voice(3000);
    const random = seededRandom(7);
    const arrivals = encode(spoken).flatMap((opus, index) => {
      const atMs = index * 20 + random() * 60;
      if (index > 0 && index < 149 && random() < 0.05) return [];
      return random() < 0.1
        ? [
            { index, opus, atMs },
            { index, opus, atMs: atMs + 10 },
          ]
        : [{ index, opus, atMs }];
    });
    const lost = 150 - new Set(arrivals.map(({ index }) => index)).size;
    for (const { index, opus, atMs } of arrivals.toSorted((a, b) => a.atMs - b.atMs)) {
      clock.advance(atMs - clock.nowMs());
      channel.deliver(channel.packet(index, opus));
    }
    clock.advance(200);
    await settled();
    expect(lost).toBeGreaterThan(3);
    expect(channel.frames).toHaveLength(150);
    expect(channel.frames.filter(({ concealed }) => concealed)).toHaveLength(lost);
    expect(channel.input.counts).toMatchObject({ frames: 150, concealed: lost, late: 0, undecodable: 0 });
    expect(channel.input.counts.duplicate).toBeGreaterThan(5);
    expect(correlate(spoken, channel.sound()).correlation).toBeGreaterThan(0.95);
  });

  it('waits 80 ms for a lost packet while its speaker goes on, even if nothing more arrives', async () => {
    const { clock } = open();
    void channel.listen();
    await settled();
    const packets = encode(voice(80));
    for (const index of [0, 1, 3]) {
      channel.deliver(channel.packet(index, packets[index] ?? OPUS_SILENCE));
      clock.advance(20);
    }
    clock.advance(59);
    await settled();
    expect(channel.frames).toHaveLength(2);
    clock.advance(1);
    await settled();
    expect(channel.frames.map(({ concealed }) => concealed)).toEqual([false, false, true, false]);
  });

  it('tells a run of silence packets once, as an event and not as sound', async () => {
    const { clock } = open();
    void channel.listen();
    await settled();
    const packets = encode(voice(60));
    const track = [...packets, ...Array.from({ length: 5 }, () => OPUS_SILENCE), ...packets, OPUS_SILENCE];
    for (const [index, opus] of track.entries()) {
      channel.deliver(channel.packet(index, opus));
      clock.advance(20);
    }
    await settled();
    expect(channel.events.map(({ type, atMs }) => `${type} ${atMs}`)).toEqual([
      'frame 0',
      'frame 20',
      'frame 40',
      'silence 60',
      'frame 160',
      'frame 180',
      'frame 200',
      'silence 220',
    ]);
  });

  it('cuts packets of other lengths into frames of 20 ms', async () => {
    open();
    void channel.listen();
    await settled();
    // The table-of-contents byte's low bits say how many 20 ms frames a packet holds: code 3, three frames of the same size.
    const packets = encode(voice(1200)).filter(({ length }) => length > 2);
    for (let index = 0; index < 10; index++) {
      const [frame = OPUS_SILENCE] = packets.slice(index * 3);
      channel.deliver(channel.packet(index, threeTimes(frame), ALICE.id, 60));
    }
    await settled();
    expect(channel.frames).toHaveLength(30);
    expect(channel.frames.every(({ frame }) => frame.length === FRAME_SAMPLES)).toBe(true);
  });

  it('goes on after packets that no decoder can read, and keeps the length', async () => {
    open();
    void channel.listen();
    await settled();
    for (const [index, opus] of encode(voice(400)).entries()) {
      // A table-of-contents byte of code 3 that is not followed by its frame count.
      channel.deliver(channel.packet(index, index % 4 === 2 ? Buffer.of((opus[0] ?? 0) | 3) : opus));
    }
    await settled();
    expect(channel.frames).toHaveLength(20);
    expect(channel.frames.filter(({ concealed }) => concealed)).toHaveLength(5);
    expect(channel.input.counts.undecodable).toBe(5);
  });

  it('hears nobody who may not be heard, and stops hearing whoever withdraws', async () => {
    open();
    void channel.listen();
    await settled();
    const packets = encode(voice(100));
    channel.members.delete(BOB.id);
    for (const [index, opus] of packets.entries()) {
      channel.deliver(channel.packet(index, opus, BOB.id));
      if (index === 3) channel.members.delete(ALICE.id);
      channel.deliver(channel.packet(index, opus));
    }
    await settled();
    expect(channel.frames).toHaveLength(3);
    expect(channel.frames.every(({ speaker }) => speaker === ALICE)).toBe(true);
  });

  it('says when a speaker is gone, after the last that was heard of them', async () => {
    open();
    void channel.listen();
    await settled();
    const packets = encode(voice(100));
    for (const index of [0, 1, 3]) channel.deliver(channel.packet(index, packets[index] ?? OPUS_SILENCE));
    channel.input.silenced(ALICE.id, 'muted');
    channel.input.silenced(BOB.id, 'absent');
    await settled();
    expect(channel.events.map(({ type }) => type)).toEqual(['frame', 'frame', 'frame', 'frame', 'gone']);
    channel.deliver(channel.packet(30_000, packets[0] ?? OPUS_SILENCE));
    await settled();
    expect(channel.events.at(-1)?.type).toBe('frame');
  });

  it('keeps a minute for a listener that does not keep up, and drops the oldest', async () => {
    open();
    const events = channel.input.listen(new AbortController().signal);
    const first = events.next();
    await settled();
    const [opus = OPUS_SILENCE] = encode(voice(20));
    channel.deliver(channel.packet(0, opus));
    await first;
    for (let index = 1; index <= 4000; index++) {
      channel.clock.advance(20);
      channel.deliver(channel.packet(index, opus));
    }
    const { value } = await events.next();
    expect(value).toMatchObject({ type: 'frame', atMs: (4000 - 3000 + 1) * 20 });
    await events.return();
  });

  it('lets go of its source when it is aborted, and can listen again', async () => {
    open();
    const stop = new AbortController();
    const listening = Array.fromAsync(channel.input.listen(stop.signal));
    await settled();
    expect(channel.listening).toBe(true);
    await expect(channel.input.listen(stop.signal).next()).rejects.toThrow(TypeError);
    stop.abort();
    await expect(listening).resolves.toEqual([]);
    expect(channel.listening).toBe(false);
    void channel.listen();
    await settled();
    expect(channel.listening).toBe(true);
  });
});

/** One packet of three equal 20 ms frames (RFC 6716 §3.2.5, code 3, constant bit rate). */
function threeTimes(packet: Uint8Array): Uint8Array {
  const [toc = 0, ...frame] = packet;
  return Uint8Array.from([(toc & 0xfc) | 3, 3, ...frame, ...frame, ...frame]);
}
