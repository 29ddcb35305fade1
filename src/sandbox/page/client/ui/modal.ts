import { h, type TargetedEvent, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { call } from '../control.ts';
import { listIn, numberIn, objectIn, textIn } from '../json.ts';
import type { Json } from '../state.ts';
import { optionsOf } from './components.ts';
import { useParts } from './context.ts';

const TEXT_INPUT = 4;
const TEXT_DISPLAY = 10;
const PARAGRAPH = 2;

/** The form that a command or a button has opened. */
export function Modal(): JSX.Element | null {
  const { state, store, strings } = useParts();
  const dialog = useRef<HTMLDialogElement>(null);
  const { modal } = state;
  useEffect(() => {
    if (modal && !dialog.current?.open) dialog.current?.showModal();
  }, [modal]);
  if (!modal?.modal) return null;
  const form: Json = modal.modal;
  const close = (): void => store.set({ modal: undefined });
  const submit = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const fields: Record<string, string> = {};
    for (const [name, value] of new FormData(event.currentTarget)) if (typeof value === 'string') fields[name] = value;
    const place = { personId: state.me.id, interactionId: modal.id };
    if (await store.interact(() => call('submitModal', { ...place, fields }))) close();
  };
  return h(
    'dialog',
    { ref: dialog, 'aria-labelledby': 'modal-title', onClose: close },
    h('h2', { id: 'modal-title' }, textIn(form, 'title')),
    h(
      'form',
      { onSubmit: (event: TargetedEvent<HTMLFormElement>) => void submit(event) },
      listIn(form, 'components').map((part, index) => h(Field, { key: index, part })),
      h(
        'div',
        { class: 'row end' },
        h('button', { type: 'button', onClick: close }, strings.dialog.cancel),
        h('button', { type: 'submit', class: 'primary' }, strings.dialog.submit),
      ),
    ),
  );
}

function Field({ part }: { part: Json }): JSX.Element | null {
  const { state } = useParts();
  if (numberIn(part, 'type') === TEXT_DISPLAY) return h('p', null, textIn(part, 'content'));
  const input = objectIn(part, 'component') ?? listIn(part, 'components')[0];
  if (!input) return null;
  const properties = { name: textIn(input, 'custom_id') ?? '', required: input['required'] !== false };
  return h(
    'label',
    { class: 'option' },
    h('span', { class: 'option-name' }, textIn(part, 'label') ?? textIn(input, 'label')),
    numberIn(input, 'type') === TEXT_INPUT
      ? h(numberIn(input, 'style') === PARAGRAPH ? 'textarea' : 'input', {
          ...properties,
          placeholder: textIn(input, 'placeholder'),
          minLength: numberIn(input, 'min_length'),
          maxLength: numberIn(input, 'max_length') ?? 4000,
          defaultValue: textIn(input, 'value'),
        })
      : h(
          'select',
          properties,
          optionsOf(input, state).map(({ value, label, chosen }) =>
            h('option', { key: value, value, selected: chosen }, label),
          ),
        ),
    textIn(part, 'description') && h('span', { class: 'quiet small' }, textIn(part, 'description')),
  );
}
