import { h, type JSX } from 'preact';
import { useState } from 'preact/hooks';
import { figuresOf, stateOf, type Figures, type Turn } from '../turns.ts';
import { useParts } from './context.ts';
import { RequestView } from './request-view.ts';
import { Timeline } from './timeline.ts';

const FIGURES = ['endOfTurn', 'firstByte', 'firstAudio', 'bot', 'total', 'played'] as const satisfies (keyof Figures)[];

/** Every turn as it happened, the newest first and open. */
export function Inspector(): JSX.Element {
  const { state, strings } = useParts();
  const [chosen, choose] = useState<string | undefined>(undefined);
  const turns = state.turns.toReversed();
  const open = chosen ?? (turns.find(({ endpoint }) => endpoint === 'chat') ?? turns[0])?.id;
  return h(
    'section',
    { class: 'inspector', 'aria-labelledby': 'inspector-title' },
    h('h2', { id: 'inspector-title' }, strings.inspector.title),
    turns.length === 0
      ? h('p', { class: 'quiet' }, strings.inspector.empty)
      : h(
          'ol',
          { class: 'turns', reversed: true },
          turns.map((turn) =>
            h(TurnRow, {
              key: turn.id,
              turn,
              open: turn.id === open,
              toggle: () => choose(turn.id === open ? '' : turn.id),
            }),
          ),
        ),
  );
}

function TurnRow({ turn, open, toggle }: { turn: Turn; open: boolean; toggle: () => void }): JSX.Element {
  const { strings } = useParts();
  const { inspector } = strings;
  const status = stateOf(turn);
  const figures = figuresOf(turn);
  const kind = turn.endpoint === 'transcription' ? 'transcription' : turn.speech.length > 0 ? 'spoken' : 'written';
  return h(
    'li',
    { class: 'turn', 'data-turn': turn.id, 'data-state': status },
    h(
      'button',
      { type: 'button', class: 'turn-head', 'aria-expanded': open, onClick: toggle },
      h('strong', null, inspector.turn(turn.number)),
      h('span', { class: 'quiet' }, inspector.kinds[kind]),
      h('span', { class: `state ${status}` }, inspector.states[status]),
      figures.total !== undefined && h('span', { class: 'total' }, inspector.ms(figures.total)),
    ),
    open &&
      h('div', { class: 'turn-body' }, h(Timeline, { turn }), h(FigureList, { figures }), h(RequestView, { turn })),
  );
}

function FigureList({ figures }: { figures: Figures }): JSX.Element {
  const { strings } = useParts();
  const { inspector } = strings;
  return h(
    'dl',
    { class: 'figures' },
    FIGURES.flatMap((name) => {
      const value = figures[name];
      if (value === undefined) return [];
      return [
        h(
          'div',
          { key: name, title: inspector.explain[name] },
          h('dt', null, inspector.figures[name]),
          h('dd', { 'data-figure': name, 'data-ms': value }, inspector.ms(value)),
        ),
      ];
    }),
  );
}
