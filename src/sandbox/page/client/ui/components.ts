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
const CHANNEL_SELECT = 8;

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
  const options = optionsOf(menu, state);
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
      ...(many ? {} : { value: options.find(({ chosen }) => chosen)?.value ?? '' }),
      disabled: menu['disabled'] === true,
      // A menu with several choices is done when it is left, not at the first of them.
      ...(many
        ? { onBlur: ({ currentTarget }: { currentTarget: HTMLSelectElement }) => choose(currentTarget) }
        : { onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) => choose(currentTarget) }),
    },
    !many && h('option', { value: '' }, placeholder),
    options.map(({ value, label, chosen }) => h('option', { key: value, value, selected: chosen }, label)),
  );
}

export interface MenuOption {
  readonly value: string;
  readonly label: string;
  /** It is the choice that holds. */
  readonly chosen: boolean;
}

/** What a menu offers: its own options, or the members or channels there are. */
export function optionsOf(menu: Json, state: PageState): readonly MenuOption[] {
  const own = listIn(menu, 'options');
  if (own.length > 0)
    return own.map((option) => ({
      value: textIn(option, 'value') ?? '',
      label: textIn(option, 'label') ?? '',
      chosen: option['default'] === true,
    }));
  const chosen = new Set(listIn(menu, 'default_values').map((one) => textIn(one, 'id')));
  const option = (value: string, label: string): MenuOption => ({ value, label, chosen: chosen.has(value) });
  if (numberIn(menu, 'type') === CHANNEL_SELECT)
    return state.guild.channels.map(({ id, name }) => option(id, `#${name}`));
  return [...state.guild.people, state.world.bot].map(({ id }) => option(id, nameOf(state, id)));
}
