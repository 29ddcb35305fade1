import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { JitterBuffer, type JitterOutput, type SequencedPacket } from '../../src/audio/jitter-buffer.ts';

const WAIT_MS = 80;

interface Packet extends SequencedPacket {
  readonly index: number;
}

/** Packet `index` of a track that starts at `first`, 20 ms each. */
function packet(index: number, atMs: number, first = 0, fields: Partial<Packet> = {}): Packet {
  return {
    index,
    ssrc: 1,
    sequence: (first + index) & 0xffff,
    timestamp: (0xffff_f000 + index * 960) >>> 0,
    atMs,
    ...fields,
  };
}

/** Pushes packets at their arrival times, stepping time by 5 ms in between and to the end of every wait. */
function run(packets: readonly Packet[]): JitterOutput<Packet>[] {
  const buffer = new JitterBuffer<Packet>(WAIT_MS);
  const out: JitterOutput<Packet>[] = [];
  let nowMs = packets[0]?.atMs ?? 0;
  for (const arriving of packets) {
    for (; nowMs < arriving.atMs; nowMs += 5) out.push(...drain(buffer, nowMs));
    buffer.push(arriving);
    out.push(...drain(buffer, arriving.atMs));
  }
  out.push(...drain(buffer, nowMs + WAIT_MS + 100));
  return out;
}

function drain(buffer: JitterBuffer<Packet>, nowMs: number): JitterOutput<Packet>[] {
  const out: JitterOutput<Packet>[] = [];
  for (let next = buffer.pull(nowMs); next; next = buffer.pull(nowMs)) out.push(next);
  return out;
}

const indexes = (out: readonly JitterOutput<Packet>[]) =>
  out.map((item) => (item.type === 'packet' ? item.packet.index : 'gap'));

describe('JitterBuffer', () => {
  it('passes packets that are in order at once', () => {
    const buffer = new JitterBuffer<Packet>(WAIT_MS);
    for (let index = 0; index < 200; index++) {
      buffer.push(packet(index, index * 20, 65_500));
      expect(buffer.pull(index * 20)).toMatchObject({ type: 'packet', packet: { index } });
      expect(buffer.pull(index * 20)).toBeUndefined();
      expect(buffer.dueAtMs).toBeUndefined();
    }
  });

  it('waits for a packet that is overtaken, and no longer than the wait when it never comes', () => {
    const buffer = new JitterBuffer<Packet>(WAIT_MS);
    const drained = (nowMs: number) => indexes(drain(buffer, nowMs));
    buffer.push(packet(0, 0));
    expect(drained(0)).toEqual([0]);
    buffer.push(packet(2, 40));
    expect(drained(40)).toEqual([]);
    buffer.push(packet(1, 45));
    expect(drained(45)).toEqual([1, 2]);

    buffer.push(packet(4, 80));
    buffer.push(packet(5, 100));
    expect(buffer.dueAtMs).toBe(80 + WAIT_MS);
    expect(drained(159)).toEqual([]);
    expect(drained(160)).toEqual(['gap', 4, 5]);
    expect(buffer.push(packet(3, 170))).toBe('late');
    expect(drained(400)).toEqual([]);
  });

  it('takes a pause between talkspurts for what it is, not for loss', () => {
    const buffer = new JitterBuffer<Packet>(WAIT_MS);
    buffer.push(packet(0, 0));
    buffer.pull(0);
    buffer.push(packet(1, 2000, 0, { timestamp: 96_000 }));
    expect(buffer.pull(2000)).toMatchObject({ packet: { index: 1 } });
    expect(buffer.pull(10_000)).toBeUndefined();
  });

  it('says how much sound a lost packet held, from the length of its neighbours', () => {
    const sixtyMs = [0, 1, 3, 4].map((index) => packet(index, index * 60, 0, { timestamp: index * 2880 }));
    expect(run(sixtyMs)).toMatchObject([{}, {}, { type: 'gap', ticks: 2880 }, {}, {}]);
  });

  it('starts afresh on a new SSRC and on a jump of the sequence, keeping what it held', () => {
    const buffer = new JitterBuffer<Packet>(WAIT_MS);
    const drained = () => indexes(drain(buffer, 100));
    buffer.push(packet(0, 0));
    buffer.push(packet(2, 40));
    expect(buffer.push(packet(3, 60, 30_000))).toBe('reset');
    expect(drained()).toEqual([0, 2, 3]);
    expect(buffer.push(packet(4, 80, 0, { ssrc: 2 }))).toBe('reset');
    expect(drained()).toEqual([4]);
    expect(buffer.push(packet(5, 100, 0, { ssrc: 2 }))).toBe('kept');
    expect(drained()).toEqual([5]);
  });

  it('gives each packet once and in order, whatever the order and number of arrivals within the wait', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.array(fc.record({ lateMs: fc.integer({ min: 0, max: WAIT_MS - 25 }), twice: fc.boolean() }), {
          minLength: 1,
          maxLength: 150,
        }),
        (first, network) => {
          const sent = network.flatMap(({ lateMs, twice }, index) => {
            // The first packet of a track defines where it starts: it cannot be overtaken.
            const atMs = index * 20 + (index === 0 ? 0 : lateMs);
            return twice ? [packet(index, atMs, first), packet(index, atMs + 13, first)] : [packet(index, atMs, first)];
          });
          const arrived = sent.toSorted((a, b) => a.atMs - b.atMs);
          expect(indexes(run(arrived))).toEqual(network.map((_, index) => index));
        },
      ),
    );
  });

  it('gives one gap for each lost packet, so that the track keeps its length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 300 }),
        (first, lost) => {
          // Runs of 64 and more are a restart, not loss; both ends arrive, or they could not be known.
          const kept = [true, ...lost.map((isLost, index) => !isLost || index % 50 === 0), true];
          const arrived = kept.flatMap((here, index) => (here ? [packet(index, index * 20, first)] : []));
          expect(indexes(run(arrived))).toEqual(kept.map((here, index) => (here ? index : 'gap')));
        },
      ),
    );
  });

  it('survives anything: never throws, never gives a packet twice, never holds more than 64', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            ssrc: fc.integer({ min: 1, max: 2 }),
            sequence: fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 100 })),
            timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
            afterMs: fc.integer({ min: 0, max: 100 }),
          }),
          { maxLength: 300 },
        ),
        (arrivals) => {
          const buffer = new JitterBuffer<Packet>(WAIT_MS);
          const given = new Set<number>();
          let nowMs = 0;
          let kept = 0;
          arrivals.forEach(({ afterMs, ...fields }, index) => {
            nowMs += afterMs;
            const verdict = buffer.push({ ...fields, index, atMs: nowMs });
            if (verdict === 'kept' || verdict === 'reset') kept++;
            for (let next = buffer.pull(nowMs); next; next = buffer.pull(nowMs)) {
              if (next.type === 'gap') continue;
              expect(given.has(next.packet.index)).toBe(false);
              given.add(next.packet.index);
            }
            expect(kept - given.size).toBeLessThanOrEqual(64);
          });
        },
      ),
    );
  });
});
