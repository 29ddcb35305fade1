import { h, type TargetedEvent, type JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Upload } from '../../../control/protocol.ts';
import { OPTION, type SlashCommand } from '../commands.ts';
import { call } from '../control.ts';
import { listIn, localized, numberIn, textIn } from '../json.ts';
import { nameOf, type Json } from '../state.ts';
import { base64Of } from '../wav.ts';
import { useParts } from './context.ts';
import { icon } from './icons.ts';

type Value = string | number | boolean | Upload;

/** The options of a slash command that is being typed. */
export function CommandForm({ command, done }: { command: SlashCommand; done: () => void }): JSX.Element {
  const { state, strings, store } = useParts();
  const [values, change] = useState<Readonly<Record<string, Value>>>({});
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>('input, select, textarea, button')?.focus(), [command]);
  const set = (name: string, value: Value | undefined): void => {
    const { [name]: _, ...others } = values;
    change(value === undefined || value === '' ? others : { ...others, [name]: value });
  };
  const run = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const place = { personId: state.me.id, channelId: state.text.id };
    const done_ = await store.interact(() =>
      call('runCommand', { ...place, command: command.path, options: { ...values } }),
    );
    if (done_) done();
  };
  return h(
    'form',
    {
      class: 'command',
      ref: form,
      onSubmit: (event: TargetedEvent<HTMLFormElement>) => void run(event),
      onKeyDown: (event: KeyboardEvent) => event.key === 'Escape' && done(),
    },
    h('p', null, h('strong', null, `/${command.title}`), ' ', h('span', { class: 'quiet' }, command.description)),
    command.options.map((option) => {
      const name = textIn(option, 'name') ?? '';
      return h(Option, {
        key: name,
        command,
        option,
        value: values[name],
        set: (value: Value | undefined) => set(name, value),
      });
    }),
    h(
      'div',
      { class: 'row end' },
      h('button', { type: 'button', onClick: done }, strings.composer.cancel),
      h('button', { type: 'submit', class: 'primary' }, strings.composer.run),
    ),
  );
}

interface OptionProps {
  readonly command: SlashCommand;
  readonly option: Json;
  readonly value: Value | undefined;
  readonly set: (value: Value | undefined) => void;
}

function Option({ command, option, value, set }: OptionProps): JSX.Element {
  const { state, strings } = useParts();
  const { code } = state.language;
  const required = option['required'] === true;
  return h(
    'label',
    { class: 'option' },
    h(
      'span',
      { class: 'option-name' },
      localized(option, 'name', code),
      required && h('em', { class: 'quiet' }, ` (${strings.composer.required})`),
    ),
    h(Input, { command, option, value, set }),
    h('span', { class: 'quiet small' }, localized(option, 'description', code)),
  );
}

function Input({ command, option, value, set }: OptionProps): JSX.Element {
  const { state, strings } = useParts();
  const required = option['required'] === true;
  const type = numberIn(option, 'type') ?? OPTION.string;
  const choices = choicesOf(option, type);
  const numeric = type === OPTION.integer || type === OPTION.number;
  if (choices !== undefined) {
    const taken = (text: string): Value => (numeric ? Number(text) : type === OPTION.boolean ? text === 'true' : text);
    return h(
      'select',
      {
        required,
        value: shown(value),
        onChange: ({ currentTarget }: TargetedEvent<HTMLSelectElement>) =>
          set(currentTarget.value === '' ? undefined : taken(currentTarget.value)),
      },
      h('option', { value: '' }, strings.composer.none),
      choices.map(({ id, label }) => h('option', { key: id, value: id }, label)),
    );
  }
  if (type === OPTION.attachment) return h(FileInput, { required, value, set });
  return h(TextInput, { command, option, value, set });

  function choicesOf(one: Json, kind: number): readonly { id: string; label: string }[] | undefined {
    const own = listIn(one, 'choices');
    if (own.length > 0)
      return own.map((choice) => ({
        id: String(choice['value']),
        label: localized(choice, 'name', state.language.code),
      }));
    if (kind === OPTION.boolean)
      return [
        { id: 'true', label: strings.composer.yes },
        { id: 'false', label: strings.composer.no },
      ];
    if (kind === OPTION.channel) {
      const types = one['channel_types'];
      const kinds = Array.isArray(types) ? types : undefined;
      const fits = (channel: string): boolean =>
        !kinds || kinds.includes(channel === 'voice' ? 2 : channel === 'stage' ? 13 : 0);
      return state.guild.channels.filter((channel) => fits(channel.kind)).map(({ id, name }) => ({ id, label: name }));
    }
    if (kind === OPTION.user || kind === OPTION.mentionable)
      return [...state.guild.people, state.world.bot].map(({ id }) => ({ id, label: nameOf(state, id) }));
    return undefined;
  }
}

function TextInput({ command, option, value, set }: OptionProps): JSX.Element {
  const { state } = useParts();
  const [suggestions, suggest] = useState<readonly string[]>([]);
  const name = textIn(option, 'name') ?? '';
  const type = numberIn(option, 'type') ?? OPTION.string;
  const numeric = type === OPTION.integer || type === OPTION.number;
  const typed = (text: string): void => {
    set(text === '' ? undefined : numeric ? Number(text) : text);
    if (option['autocomplete'] !== true) return;
    const place = { personId: state.me.id, channelId: state.text.id };
    void call('autocomplete', { ...place, command: command.path, option: name, value: text })
      .then(({ choices }) => suggest(choices.map((choice) => String(choice.value))))
      .catch(() => suggest([]));
  };
  return h(
    'span',
    { class: 'grow' },
    h('input', {
      type: numeric ? 'number' : 'text',
      required: option['required'] === true,
      maxLength: numberIn(option, 'max_length') ?? 6000,
      list: suggestions.length > 0 ? `suggestions-${name}` : undefined,
      autocomplete: 'off',
      value: shown(value),
      onInput: ({ currentTarget }: TargetedEvent<HTMLInputElement>) => typed(currentTarget.value),
    }),
    suggestions.length > 0 &&
      h(
        'datalist',
        { id: `suggestions-${name}` },
        suggestions.map((one) => h('option', { key: one, value: one })),
      ),
  );
}

function FileInput({ required, value, set }: Pick<OptionProps, 'value' | 'set'> & { required: boolean }): JSX.Element {
  const { strings } = useParts();
  const [over, drag] = useState(false);
  const take = async (file: File | undefined): Promise<void> => {
    if (file) set({ name: file.name, contentType: file.type, data: await base64Of(file) });
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    drag(false);
    void take(event.dataTransfer?.files[0]);
  };
  return h(
    'span',
    {
      class: `drop${over ? ' over' : ''}`,
      onDragOver: (event: DragEvent) => (event.preventDefault(), drag(true)),
      onDragLeave: () => drag(false),
      onDrop: drop,
    },
    icon('attach'),
    typeof value === 'object' ? value.name : strings.composer.chooseFile,
    h('input', {
      type: 'file',
      class: 'hidden',
      required: required && value === undefined,
      onChange: ({ currentTarget }: TargetedEvent<HTMLInputElement>) => void take(currentTarget.files?.[0]),
    }),
  );
}

function shown(value: Value | undefined): string {
  return value === undefined || typeof value === 'object' ? '' : String(value);
}
