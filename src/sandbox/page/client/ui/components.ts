import { h, type JSX } from 'preact';
import { call } from '../control.ts';
import { listIn, numberIn, objectIn, textIn } from '../json.ts';
import type { Json, PageState } from '../state.ts';
import { nameOf } from '../state.ts';
import { useParts } from './context.ts';

/** Discord's component type numbers. */
const BUTTON = 2;
const STYLES = ['', 'primary', '', 'success', 'danger', ''] as const;
const LINK_STYLE = 5;

/** The buttons and menus under a message. */
export function Components({ messageId, rows }: { messageId: string; rows: readonly Json[] }): JSX.Element {
  return h(
    'div',
    { class: 'components' },
    rows.map((row, index) =>
      h(
        'div',
        { key: index, class: 'row' },
        listIn(row, 'components').map((component, at) =>
          numberIn(component, 'type') === BUTTON
            ? h(Button, { key: at, messageId, button: component })
            : h(Select, { key: at, messageId, menu: component }),
        ),
      ),
    ),
  );
}

function Button({ messageId, button }: { messageId: string; button: Json }): JSX.Element {
  const { state, store } = useParts();
  const emoji = textIn(objectIn(button, 'emoji') ?? {}, 'name');
  const label = [emoji, textIn(button, 'label')].filter((part) => part !== undefined).join(' ');
  const style = numberIn(button, 'style') ?? 2;
  const url = textIn(button, 'url');
  if (style === LINK_STYLE && url !== undefined) {
    return h('a', { class: 'button', href: url, target: '_blank', rel: 'noreferrer noopener' }, label);
  }
  const customId = textIn(button, 'custom_id') ?? '';
  const place = { personId: state.me.id, channelId: state.text.id, messageId };
  const press = (): void => void store.interact(() => call('pressButton', { ...place, customId }));
  return h(
    'button',
    { type: 'button', class: STYLES[style], disabled: button['disabled'] === true, onClick: press },
    label,
  );
}

function Select({ messageId, menu }: { messageId: string; menu: Json }): JSX.Element {
  const { state, store, strings } = useParts();
  const customId = textIn(menu, 'custom_id') ?? '';
  const placeholder = textIn(menu, 'placeholder') ?? strings.channel.select;
  const many = (numberIn(menu, 'max_values') ?? 1) > 1;
  const place = { personId: state.me.id, channelId: state.text.id, messageId };
  const choose = (select: HTMLSelectElement): void => {
    const values = Array.from(select.selectedOptions, ({ value }) => value).filter((value) => value !== '');
    if (values.length > 0) void store.interact(() => call('selectOptions', { ...place, customId, values }));
  };
  return h(
    'select',
    {
      'aria-label': placeholder,
      multiple: many,
      disabled: menu['disabled'] === true,
      // A menu with several choices is done when it is left, not at the first of them.
      ...(many
        ? { onBlur: ({ currentTarget }: { currentTarget: HTMLSelectElement }) => choose(currentTarget) }
        : { onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) => choose(currentTarget) }),
    },
    !many && h('option', { value: '' }, placeholder),
    optionsOf(menu, state).map(({ value, label }) => h('option', { key: value, value }, label)),
  );
}

/** What a menu offers: its own options, or the members or channels there are. */
export function optionsOf(menu: Json, state: PageState): readonly { value: string; label: string }[] {
  const own = listIn(menu, 'options');
  if (own.length > 0)
    return own.map((option) => ({ value: textIn(option, 'value') ?? '', label: textIn(option, 'label') ?? '' }));
  if (numberIn(menu, 'type') === 8)
    return state.guild.channels.map(({ id, name }) => ({ value: id, label: `#${name}` }));
  return [...state.guild.people, state.world.bot].map(({ id }) => ({ value: id, label: nameOf(state, id) }));
}
