import { h, type JSX, type TargetedEvent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { LANGUAGES, languageOf } from '../language/languages.ts';
import type { Store } from '../store.ts';
import type { Voice } from '../voice.ts';
import { Channel } from './channel.ts';
import { partsOf, PartsProvider, useParts } from './context.ts';
import { Inspector } from './inspector.ts';
import { Knobs } from './knobs.ts';
import { Modal } from './modal.ts';
import { Room } from './room.ts';

const VIEWS = ['room', 'channel', 'inspector'] as const;
type View = (typeof VIEWS)[number];

/** The whole page. On a phone one of its three parts is shown at a time. */
export function App({ store, voice }: { store: Store; voice: Voice }): JSX.Element {
  const [, changed] = useState(0);
  const [view, show] = useState<View>('room');
  const [parts] = useState(() => partsOf(store, voice));
  useEffect(() => store.watch(() => changed((count) => count + 1)), [store]);
  const { strings, code } = store.state.language;
  useEffect(() => {
    document.documentElement.lang = code;
    document.title = strings.title;
  }, [code, strings]);
  // Whatever is dropped where nothing else takes it is spoken: a browser would leave the page to show it.
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    if (store.state.voice.kind === 'joined') void voice.speakFile(file);
    else store.set({ notice: strings.room.joinFirst });
  };
  return h(
    PartsProvider,
    { value: parts },
    h(
      'div',
      { class: `app show-${view}`, onDragOver: (event: DragEvent) => event.preventDefault(), onDrop: drop },
      h(Header, null),
      h('main', null, h(Room, null), h(Channel, null), h('div', { class: 'side' }, h(Inspector, null), h(Knobs, null))),
      h(
        'nav',
        { class: 'tabs', 'aria-label': strings.title },
        VIEWS.map((name) =>
          h(
            'button',
            { key: name, type: 'button', 'aria-pressed': view === name, onClick: () => show(name) },
            strings.tabs[name],
          ),
        ),
      ),
      h(Modal, null),
    ),
  );
}

function Header(): JSX.Element {
  const { store, state, strings } = useParts();
  const choose = (code: string): void => {
    localStorage.setItem('language', code);
    store.set({ language: languageOf([code]) });
  };
  return h(
    'header',
    null,
    h('img', { src: '/page/icon.svg', alt: '', width: 32, height: 32 }),
    h('div', { class: 'name' }, h('h1', null, strings.title), h('p', null, strings.subtitle)),
    h('p', { class: 'notice', role: 'status' }, state.connected ? state.notice : strings.connection.lost),
    h(
      'label',
      { class: 'language' },
      h('span', { class: 'hidden' }, strings.language),
      h(
        'select',
        {
          value: state.language.code,
          onChange: ({ currentTarget }: TargetedEvent<HTMLSelectElement>) => choose(currentTarget.value),
        },
        LANGUAGES.map(({ code, name }) => h('option', { key: code, value: code, lang: code }, name)),
      ),
    ),
  );
}
