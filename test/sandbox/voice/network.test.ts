import { describe, expect, it } from 'vitest';

import type { NetworkConditions } from '../../../src/sandbox/control/protocol.ts';
import { Network } from '../../../src/sandbox/voice/network.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const PACKETS = 500;

/** What arrives of a stream of 20 ms packets, in the order it arrives, and when. */
function carried(conditions: NetworkConditions | undefined): { packet: number; atMs: number }[] {
  const clock = new ManualClock();
  using network = new Network(clock);
  if (conditions) network.setConditions(conditions);
  const arrived: { packet: number; atMs: number }[] = [];
  for (let packet = 0; packet < PACKETS; packet += 1) {
    network.carry(() => arrived.push({ packet, atMs: clock.nowMs() }));
    for (let ms = 0; ms < 20; ms += 1) clock.advance(1);
  }
  for (let ms = 0; ms < 200; ms += 1) clock.advance(1);
  return arrived;
}

const packetsOf = (conditions: NetworkConditions | undefined) => carried(conditions).map(({ packet }) => packet);
const all = Array.from({ length: PACKETS }, (_, packet) => packet);

describe('the network to the bot', () => {
  it('carries everything at once when nothing is wrong', () => {
    expect(carried(undefined)).toEqual(all.map((packet) => ({ packet, atMs: packet * 20 })));
    expect(carried({ seed: 1 })).toEqual(carried(undefined));
  });

  it('loses and doubles about as many packets as it should', () => {
    const lossy = packetsOf({ seed: 1, lossRate: 0.1 });
    expect(lossy.length).toBeGreaterThan(PACKETS * 0.86);
    expect(lossy.length).toBeLessThan(PACKETS * 0.94);
    expect(new Set(lossy).size).toBe(lossy.length);

    const doubled = packetsOf({ seed: 1, duplicateRate: 0.1 });
    expect(new Set(doubled)).toEqual(new Set(all));
    expect(doubled.length).toBeGreaterThan(PACKETS * 1.06);
    expect(doubled.length).toBeLessThan(PACKETS * 1.14);
  });

  it('lets packets overtake each other only when told to', () => {
    const late = carried({ seed: 1, jitterMs: 60 });
    expect(late.map(({ packet }) => packet)).toEqual(all);
    const delays = late.map(({ packet, atMs }) => atMs - packet * 20);
    expect(Math.max(...delays)).toBeGreaterThan(40);
    expect(Math.max(...delays)).toBeLessThanOrEqual(61);

    const mixed = packetsOf({ seed: 1, reorderRate: 0.1 });
    expect(mixed).not.toEqual(all);
    expect(mixed.toSorted((a, b) => a - b)).toEqual(all);
    const overtaken = mixed.filter((packet, index) => index > 0 && packet < (mixed[index - 1] ?? 0)).length;
    expect(overtaken).toBeGreaterThan(PACKETS * 0.06);
  });

  it('does the same again with the same seed, and something else with another', () => {
    const bad = { lossRate: 0.1, duplicateRate: 0.05, reorderRate: 0.05, jitterMs: 30 };
    expect(carried({ seed: 7, ...bad })).toEqual(carried({ seed: 7, ...bad }));
    expect(carried({ seed: 8, ...bad })).not.toEqual(carried({ seed: 7, ...bad }));
  });

  it('loses the same packets whatever else is wrong', () => {
    const lost = (conditions: NetworkConditions) => {
      const arrived = new Set(packetsOf(conditions));
      return all.filter((packet) => !arrived.has(packet));
    };
    expect(lost({ seed: 7, lossRate: 0.1, duplicateRate: 0.3, jitterMs: 50 })).toEqual(
      lost({ seed: 7, lossRate: 0.1 }),
    );
  });
});
