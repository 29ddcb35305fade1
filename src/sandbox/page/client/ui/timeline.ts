import { h, type JSX } from 'preact';
import { nameOf } from '../state.ts';
import type { Strings } from '../language/strings.ts';
import type { Stretch, Turn } from '../turns.ts';
import { useParts } from './context.ts';

const LANE_HEIGHT = 26;
const LABEL_WIDTH = 74;
const WIDTH = 420;
const AXIS_HEIGHT = 18;
const STEPS_MS = [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000];
const MAX_TICKS = 6;
/** Stretches in which nothing sounds. */
const THIN: ReadonlySet<string> = new Set(['pause', 'ending']);

interface Bar {
  readonly fromMs: number;
  readonly toMs: number;
  readonly kind: string;
}

interface Lane {
  readonly label: string;
  readonly kind: 'person' | 'model' | 'bot';
  readonly bars: readonly Bar[];
}

/** A turn on a time axis: who spoke when, the model, and the bot's voice. */
export function Timeline({ turn }: { turn: Turn }): JSX.Element {
  const { state, strings } = useParts();
  const lanes = lanesOf(turn, (userId) => nameOf(state, userId), strings.inspector.lanes.model);
  const times = lanes.flatMap(({ bars }) => bars.flatMap(({ fromMs, toMs }) => [fromMs, toMs]));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const height = lanes.length * LANE_HEIGHT + AXIS_HEIGHT;
  const span = Math.max(to - from, 1);
  const x = (atMs: number): number => LABEL_WIDTH + ((atMs - from) / span) * (WIDTH - LABEL_WIDTH - 8);
  const step = STEPS_MS.find((one) => span / one <= MAX_TICKS) ?? span;
  const ticks = Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step);
  const label = lanes
    .map(({ label: name, bars }) => `${name}: ${bars.map((bar) => describe(bar, from, strings.inspector)).join(', ')}`)
    .join('; ');
  return h(
    'svg',
    { class: 'timeline', viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': label },
    ticks.map((tick) =>
      h(
        'g',
        { key: `tick-${tick}` },
        h('line', { class: 'tick', x1: x(from + tick), x2: x(from + tick), y1: 0, y2: height - AXIS_HEIGHT + 3 }),
        h(
          'text',
          { class: 'tick-label', x: x(from + tick), y: height - 4, 'text-anchor': tick === 0 ? 'start' : 'middle' },
          tick >= 1000 ? `${tick / 1000} s` : `${tick}`,
        ),
      ),
    ),
    lanes.map((lane, index) => {
      const y = index * LANE_HEIGHT;
      return h(
        'g',
        { key: lane.label },
        h(
          'text',
          { class: 'lane', x: 0, y: y + 17 },
          lane.label.length > 10 ? `${lane.label.slice(0, 9)}…` : lane.label,
        ),
        lane.bars.map((bar, at) =>
          h(
            'rect',
            {
              key: at,
              class: `bar ${lane.kind} ${bar.kind}`,
              x: x(bar.fromMs),
              y: y + (THIN.has(bar.kind) ? LANE_HEIGHT / 2 - 2 : 5),
              width: Math.max(2, x(bar.toMs) - x(bar.fromMs)),
              height: THIN.has(bar.kind) ? 4 : LANE_HEIGHT - 10,
              rx: THIN.has(bar.kind) ? 2 : 4,
            },
            h('title', null, describe(bar, from, strings.inspector)),
          ),
        ),
      );
    }),
    turn.endpoint !== 'unseen' &&
      h('line', {
        class: 'request',
        x1: x(turn.requestAtMs),
        x2: x(turn.requestAtMs),
        y1: 0,
        y2: height - AXIS_HEIGHT + 3,
      }),
  );
}

/** A bar in words. */
function describe({ fromMs, toMs, kind }: Bar, from: number, { ms, lanes, figures }: Strings['inspector']): string {
  const what = kind === 'pause' ? `${lanes.pause} ` : kind === 'ending' ? `${figures.endOfTurn} ` : '';
  return `${what}${Math.round(fromMs - from)}–${ms(Math.round(toMs - from))}`;
}

function lanesOf(turn: Turn, name: (userId: string) => string, model: string): readonly Lane[] {
  const nowMs = latestOf(turn);
  const stretches = [
    ...turn.speech.map((stretch) => ({ stretch, kind: '' })),
    ...turn.over.map((stretch) => ({ stretch, kind: 'over' })),
  ];
  const speakers = [...new Set(stretches.map(({ stretch }) => stretch.userId))];
  const bar = ({ fromMs, toMs = nowMs }: Stretch, kind: string): Bar => ({
    fromMs,
    toMs: Math.max(fromMs, toMs),
    kind,
  });
  const last = turn.speech.reduce<Stretch | undefined>(
    (latest, one) => ((one.toMs ?? nowMs) >= (latest?.toMs ?? Number.NEGATIVE_INFINITY) ? one : latest),
    undefined,
  );
  const people = speakers.map((userId): Lane => ({
    label: name(userId),
    kind: 'person',
    bars: stretches
      .filter(({ stretch }) => stretch.userId === userId)
      .map(({ stretch, kind }) => bar(stretch, kind))
      .flatMap((one, at, all) => [...pauseBetween(all[at - 1], one), one])
      .concat(last?.userId === userId ? endingOf(turn, last) : []),
  }));
  const firstAudio = turn.firstAudioAtMs ?? turn.firstByteAtMs ?? turn.endedAtMs ?? nowMs;
  const modelBars = [
    ...turn.dropped.map((early) => ({ ...early, kind: 'abandoned' })),
    { fromMs: turn.requestAtMs, toMs: firstAudio, kind: 'waiting' },
    ...(turn.firstAudioAtMs === undefined
      ? []
      : [{ fromMs: firstAudio, toMs: turn.endedAtMs ?? nowMs, kind: turn.abandoned ? 'abandoned' : 'streaming' }]),
  ];
  return [
    ...people,
    ...(turn.endpoint === 'unseen' ? [] : [{ label: model, kind: 'model', bars: modelBars } as const]),
    ...(turn.reply ? [{ label: name('bot'), kind: 'bot', bars: [bar(turn.reply, '')] } as const] : []),
  ];
}

/** Silence between two stretches of one's speech. */
function pauseBetween(before: Bar | undefined, { fromMs }: Bar): readonly Bar[] {
  return before && fromMs > before.toMs ? [{ fromMs: before.toMs, toMs: fromMs, kind: 'pause' }] : [];
}

/** From the last sound spoken to the request. */
function endingOf({ endpoint, requestAtMs }: Turn, { toMs = requestAtMs }: Stretch): readonly Bar[] {
  return endpoint === 'unseen' || toMs >= requestAtMs ? [] : [{ fromMs: toMs, toMs: requestAtMs, kind: 'ending' }];
}

/** The latest moment known of a turn: what is not over yet reaches to there. */
function latestOf({ requestAtMs, firstAudioAtMs, endedAtMs, reply, over }: Turn): number {
  const known = [
    requestAtMs + 1,
    firstAudioAtMs,
    endedAtMs,
    reply?.fromMs,
    reply?.toMs,
    ...over.flatMap(({ fromMs, toMs }) => [fromMs, toMs]),
  ];
  return Math.max(...known.filter((atMs) => atMs !== undefined));
}
