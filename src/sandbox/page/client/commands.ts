import { listIn, localized, numberIn, textIn } from './json.ts';
import type { Json } from './state.ts';

/** Discord's option types, by number. */
export const OPTION = {
  subcommand: 1,
  group: 2,
  string: 3,
  integer: 4,
  boolean: 5,
  user: 6,
  channel: 7,
  role: 8,
  mentionable: 9,
  number: 10,
  attachment: 11,
} as const;

const CHAT_INPUT = 1;

/** A slash command as one types it: a subcommand counts as one of its own. */
export interface SlashCommand {
  /** `ask`, or `settings voice`. */
  readonly path: string;
  /** The same in the page's language. */
  readonly title: string;
  readonly description: string;
  readonly options: readonly Json[];
}

/** What the bot has registered, in the order of Discord's list. */
export function slashCommands(registered: readonly Json[], language: string): readonly SlashCommand[] {
  return registered
    .filter((command) => (numberIn(command, 'type') ?? CHAT_INPUT) === CHAT_INPUT)
    .flatMap((command) => expand(command, '', '', language))
    .toSorted((a, b) => a.title.localeCompare(b.title));
}

function expand(command: Json, before: string, titleBefore: string, language: string): readonly SlashCommand[] {
  const path = `${before}${textIn(command, 'name') ?? ''}`;
  const title = `${titleBefore}${localized(command, 'name', language)}`;
  const options = listIn(command, 'options');
  const inner = options.filter((option) => (numberIn(option, 'type') ?? 0) <= OPTION.group);
  if (inner.length > 0) return inner.flatMap((option) => expand(option, `${path} `, `${title} `, language));
  return [{ path, title, description: localized(command, 'description', language), options }];
}
