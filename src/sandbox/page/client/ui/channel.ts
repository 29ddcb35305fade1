import { h, type JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Composer } from './composer.ts';
import { useParts } from './context.ts';
import { Message } from './message.ts';

/** How near the end one has to be to be taken along by new messages. */
const NEAR_END_PX = 160;

/** The text channel: what was written, and the composer. */
export function Channel(): JSX.Element {
  const { state, strings } = useParts();
  const { channel } = strings;
  const log = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [dropped, drop] = useState<readonly File[]>([]);
  const [over, drag] = useState(false);
  useLayoutEffect(() => {
    if (atEnd.current && log.current) log.current.scrollTop = log.current.scrollHeight;
  }, [state.messages, state.pending]);
  // What else a message shows: names, and the commands of its menu.
  const version = [state.language.code, state.world.commands.length, state.guild.people.length].join();
  const watchEnd = (): void => {
    const box = log.current;
    if (box) atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
  };
  return h(
    'section',
    {
      class: 'channel',
      'aria-labelledby': 'channel-title',
      onDragOver: () => drag(true),
      onDragLeave: () => drag(false),
      onDrop: (event: DragEvent) => {
        event.preventDefault();
        event.stopPropagation();
        drag(false);
        drop([...(event.dataTransfer?.files ?? [])]);
      },
    },
    h('h2', { id: 'channel-title' }, h('span', { 'aria-hidden': 'true' }, '# '), state.text.name),
    h(
      'div',
      {
        class: 'log',
        ref: log,
        role: 'log',
        tabIndex: 0,
        'aria-label': channel.log(state.text.name),
        onScroll: watchEnd,
      },
      state.messages.length === 0 && state.pending.length === 0 && h('p', { class: 'quiet empty' }, channel.empty),
      state.messages.map((message) => h(Message, { key: message.id, message, parts: version })),
      state.pending.map(({ id, state: status }) =>
        h('p', { key: id, class: `pending ${status}` }, status === 'failed' ? channel.noResponse : channel.thinking),
      ),
    ),
    h(Composer, { dropped, over }),
  );
}
