import { h, type JSX } from 'preact';
import { isInCall } from '../state.ts';
import { useParts } from './context.ts';

/** What to do first, until one has had an answer. */
export function Steps(): JSX.Element | null {
  const { state, strings } = useParts();
  const { title, ...steps } = strings.room.steps;
  if (state.turns.some(({ reply }) => reply)) return null;
  const done = { join: state.voice.kind === 'joined', call: isInCall(state, state.world.bot.id), say: false };
  const names = ['join', 'call', 'say'] as const;
  const next = names.find((name) => !done[name]);
  return h(
    'section',
    { class: 'steps', 'aria-labelledby': 'steps-title' },
    h('h3', { id: 'steps-title' }, title),
    h(
      'ol',
      null,
      names.map((name) =>
        h(
          'li',
          { key: name, class: done[name] ? 'done' : '', 'aria-current': name === next ? 'step' : undefined },
          steps[name],
        ),
      ),
    ),
  );
}
