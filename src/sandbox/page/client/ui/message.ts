import { h, type JSX } from 'preact';
import { memo } from './memo.ts';
import { useRef } from 'preact/hooks';
import type { MessageSnapshot } from '../../../control/protocol.ts';
import { call } from '../control.ts';
import { numberIn, localized, textIn } from '../json.ts';
import { nameOf } from '../state.ts';
import { Attachment } from './attachment.ts';
import { Components } from './components.ts';
import { useParts } from './context.ts';
import { Embed } from './embed.ts';
import { icon } from './icons.ts';
import { Markdown } from './markdown-view.ts';
import { tintOf } from './members.ts';

const MESSAGE_COMMAND = 3;

/** One message, as Discord shows it. */
export const Message = memo(function Message({ message }: { message: MessageSnapshot }): JSX.Element {
  const { state, strings } = useParts();
  const menu = useRef<HTMLDetailsElement>(null);
  const bot = message.authorId === state.world.bot.id;
  const author = nameOf(state, message.authorId);
  const openMenu = (event: MouseEvent): void => {
    event.preventDefault();
    if (menu.current) menu.current.open = true;
    menu.current?.querySelector('button')?.focus();
  };
  return h(
    'article',
    { class: `message${message.ephemeral ? ' ephemeral' : ''}`, onContextMenu: openMenu, 'data-message': message.id },
    h(
      'span',
      { class: `avatar tint-${tintOf(message.authorId)}`, 'aria-hidden': 'true' },
      bot ? icon('headphones') : author.slice(0, 1),
    ),
    h(
      'div',
      { class: 'body' },
      h(
        'div',
        { class: 'byline' },
        h('strong', null, author),
        bot && h('span', { class: 'badge' }, strings.channel.app),
        h('time', { class: 'quiet small' }, timeOf(message.id, state.language.code)),
      ),
      message.content !== '' && h(Markdown, { text: message.content }),
      message.edits > 0 && h('span', { class: 'quiet small edited' }, strings.channel.edited),
      message.embeds.map((embed, index) => h(Embed, { key: index, embed })),
      message.attachments.map((attachment) =>
        h(Attachment, { key: attachment.id, attachment, voice: message.voiceMessage }),
      ),
      message.components.length > 0 && h(Components, { messageId: message.id, rows: message.components }),
      message.ephemeral && h('p', { class: 'quiet small only' }, strings.channel.onlyYou),
    ),
    h(Menu, { message, author, menu }),
  );
});

/** The right-click menu: it opens by a right click, by the menu key, and by its button. */
function Menu({
  message,
  author,
  menu,
}: {
  message: MessageSnapshot;
  author: string;
  menu: { current: HTMLDetailsElement | null };
}): JSX.Element {
  const { state, strings, store } = useParts();
  const commands = state.world.commands.filter((command) => numberIn(command, 'type') === MESSAGE_COMMAND);
  const run = (command: string): void => {
    if (menu.current) menu.current.open = false;
    menu.current?.querySelector('summary')?.focus();
    const place = { personId: state.me.id, channelId: state.text.id, messageId: message.id };
    void store.interact(() => call('runMessageCommand', { ...place, command }));
  };
  const leave = (event: FocusEvent): void => {
    const inside = event.relatedTarget instanceof Node && menu.current?.contains(event.relatedTarget);
    if (menu.current && !inside) menu.current.open = false;
  };
  const escape = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !menu.current) return;
    menu.current.open = false;
    menu.current.querySelector('summary')?.focus();
  };
  return h(
    'details',
    { class: 'menu', ref: menu, onFocusOut: leave, onKeyDown: escape },
    h('summary', { 'aria-label': strings.channel.actions(author) }, icon('more')),
    h(
      'ul',
      null,
      commands.length === 0
        ? h('li', { class: 'quiet small' }, strings.channel.noActions)
        : commands.map((command) => {
            const name = textIn(command, 'name') ?? '';
            return h(
              'li',
              { key: name },
              h(
                'button',
                { type: 'button', onClick: () => run(name) },
                localized(command, 'name', state.language.code),
              ),
            );
          }),
    ),
  );
}

const DISCORD_EPOCH_MS = 1_420_070_400_000n;

/** When a message was written is in its id. */
function timeOf(id: string, language: string): string {
  const date = new Date(Number((BigInt(id) >> 22n) + DISCORD_EPOCH_MS));
  return date.toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' });
}
