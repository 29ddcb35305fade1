import { h, type JSX } from 'preact';
import type { SlashCommand } from '../commands.ts';
import { useParts } from './context.ts';

interface CommandListProps {
  readonly commands: readonly SlashCommand[];
  readonly active: SlashCommand | undefined;
  readonly pick: (command: SlashCommand) => void;
}

/** The commands that begin with what is typed. */
export function CommandList({ commands, active, pick }: CommandListProps): JSX.Element {
  const { strings } = useParts();
  if (commands.length === 0) return h('p', { class: 'commands quiet', role: 'status' }, strings.composer.noCommands);
  return h(
    'ul',
    { class: 'commands', id: 'commands', role: 'listbox', 'aria-label': strings.composer.commands },
    commands.map((command) =>
      h(
        'li',
        {
          key: command.path,
          id: `command-${command.path.replaceAll(' ', '-')}`,
          role: 'option',
          'aria-selected': command === active,
          // The text keeps the focus: its keys go on working.
          onPointerDown: (event: PointerEvent) => (event.preventDefault(), pick(command)),
        },
        h('strong', null, `/${command.title}`),
        h('span', { class: 'quiet' }, command.description),
      ),
    ),
  );
}
