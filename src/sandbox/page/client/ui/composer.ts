import { h, type TargetedEvent, type JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { slashCommands, type SlashCommand } from '../commands.ts';
import { call } from '../control.ts';
import { base64Of } from '../wav.ts';
import { CommandForm } from './command-form.ts';
import { CommandList } from './command-list.ts';
import { useParts } from './context.ts';
import { icon } from './icons.ts';
import { RecordButton } from './record-button.ts';

interface ComposerProps {
  /** Files that have just been dropped on the channel. */
  readonly dropped: readonly File[];
  /** Something is held over the channel. */
  readonly over: boolean;
}

/** Where one writes, runs commands, attaches and records. */
export function Composer({ dropped, over }: ComposerProps): JSX.Element {
  const { state, strings, store } = useParts();
  const { composer } = strings;
  const [text, write] = useState('');
  const [command, choose] = useState<SlashCommand | undefined>(undefined);
  const [marked, mark] = useState(0);
  const [files, attach] = useState<readonly File[]>([]);
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => attach((held) => [...held, ...dropped]), [dropped]);

  const typed = text.startsWith('/') ? text.slice(1).toLowerCase() : undefined;
  const all = slashCommands(state.world.commands, state.language.code);
  const found =
    typed === undefined
      ? []
      : all.filter(({ title, path }) => title.startsWith(typed.trimEnd()) || path.startsWith(typed.trimEnd()));
  const active = found[Math.min(marked, found.length - 1)];

  const pick = (picked: SlashCommand): void => {
    write('');
    mark(0);
    choose(picked);
  };
  const done = (): void => {
    choose(undefined);
    setTimeout(() => input.current?.focus());
  };
  const send = async (): Promise<void> => {
    if (text.trim() === '' && files.length === 0) return;
    const sent = await store.attempt(async () => {
      const attachments = await Promise.all(
        files.map(async (file) => ({
          name: file.name,
          data: await base64Of(file),
          ...(file.type === '' ? {} : { contentType: file.type }),
        })),
      );
      return call('sendMessage', { personId: state.me.id, channelId: state.text.id, content: text, attachments });
    });
    if (!sent) return;
    write('');
    attach([]);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (typed !== undefined && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      mark((marked + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % Math.max(1, found.length));
    } else if (active && (event.key === 'Enter' || event.key === 'Tab')) {
      event.preventDefault();
      pick(active);
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void send();
    } else if (event.key === 'Escape' && typed !== undefined) write('');
  };

  if (command) return h('div', { class: 'composer' }, h(CommandForm, { command, done }));
  return h(
    'div',
    { class: `composer${over ? ' over' : ''}` },
    typed !== undefined && h(CommandList, { commands: found, active, pick }),
    files.length > 0 &&
      h(
        'ul',
        { class: 'files' },
        files.map((file, index) =>
          h(
            'li',
            { key: index },
            icon('file'),
            file.name,
            h(
              'button',
              { type: 'button', class: 'square small', onClick: () => attach(files.filter((one) => one !== file)) },
              icon('close'),
              h('span', { class: 'hidden' }, composer.remove(file.name)),
            ),
          ),
        ),
      ),
    h(
      'div',
      { class: 'row' },
      h(
        'label',
        { class: 'button square', title: composer.attach },
        icon('attach'),
        h('span', { class: 'hidden' }, composer.attach),
        h('input', {
          type: 'file',
          multiple: true,
          class: 'hidden',
          onChange: ({ currentTarget }: TargetedEvent<HTMLInputElement>) => {
            attach([...files, ...(currentTarget.files ?? [])]);
            currentTarget.value = '';
          },
        }),
      ),
      h('textarea', {
        ref: input,
        rows: 1,
        class: 'grow',
        value: text,
        placeholder: over ? composer.dropHere : composer.placeholder,
        'aria-label': composer.label(state.text.name),
        'aria-autocomplete': 'list',
        'aria-controls': found.length > 0 ? 'commands' : undefined,
        'aria-activedescendant': active ? `command-${active.path.replaceAll(' ', '-')}` : undefined,
        onInput: ({ currentTarget }: TargetedEvent<HTMLTextAreaElement>) => (write(currentTarget.value), mark(0)),
        onKeyDown: onKey,
      }),
      h(RecordButton, null),
      h(
        'button',
        { type: 'button', class: 'square primary', title: composer.send, onClick: () => void send() },
        icon('send'),
        h('span', { class: 'hidden' }, composer.send),
      ),
    ),
  );
}
