import type { TurnTimings } from './turn-timings.ts';

/** Turns of a channel that count. */
export const MAX_TURNS = 200;

/** Channels whose turns are held; the one in which nothing was said for longest goes first. */
const MAX_CHANNELS = 500;

const STAGES = ['endOfTurnMs', 'askedMs', 'firstByteMs', 'firstAudioMs', 'firstPacketMs', 'playedMs'] as const;

export type Stage = (typeof STAGES)[number];

/** Of the turns that came so far. */
export interface StageStats {
  readonly stage: Stage;
  /** In milliseconds, as {@link TurnTimings} counts them. */
  readonly p50: number;
  readonly p95: number;
}

export interface ChannelStats {
  readonly turns: number;
  /** Stages that no turn came to are not among them. */
  readonly stages: readonly StageStats[];
  readonly speculation: Readonly<Record<TurnTimings['speculation'], number>>;
  /** Answers that were asked for and dropped. */
  readonly dropped: number;
  readonly heard: Readonly<Record<TurnTimings['heard'], number>>;
}

/** How long the newest turns of each channel took, in this process's memory alone. */
export class TurnStats {
  readonly #turns = new Map<string, readonly TurnTimings[]>();

  add(channelId: string, timings: TurnTimings): void {
    const turns = [...(this.#turns.get(channelId) ?? []), timings].slice(-MAX_TURNS);
    this.#turns.delete(channelId);
    this.#turns.set(channelId, turns);
    const [oldest] = this.#turns.keys();
    if (this.#turns.size > MAX_CHANNELS && oldest !== undefined) this.#turns.delete(oldest);
  }

  /** `undefined`: nothing was answered in this channel since this process began. */
  of(channelId: string): ChannelStats | undefined {
    const turns = this.#turns.get(channelId);
    if (!turns) return undefined;
    const count = (fits: (turn: TurnTimings) => boolean): number => turns.filter(fits).length;
    const speculated = (outcome: TurnTimings['speculation']): number =>
      count(({ speculation }) => speculation === outcome);
    const heard = (outcome: TurnTimings['heard']): number => count((turn) => turn.heard === outcome);
    return {
      turns: turns.length,
      stages: STAGES.flatMap((stage) => {
        const values = turns.flatMap((turn) => turn[stage] ?? []).toSorted((a, b) => a - b);
        return values.length === 0 ? [] : [{ stage, p50: percentile(values, 50), p95: percentile(values, 95) }];
      }),
      speculation: { hit: speculated('hit'), miss: speculated('miss'), off: speculated('off') },
      dropped: turns.reduce((sum, { dropped }) => sum + dropped, 0),
      heard: { whole: heard('whole'), part: heard('part'), nothing: heard('nothing') },
    };
  }
}

/** The smallest value that so many of a hundred do not exceed (nearest rank). */
function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
}
