import { z } from 'zod';
import { codePoints } from '../code-points.ts';
import type { JsonObject } from '../entities.ts';
import { isObject, issue, list, text } from './form.ts';

/** Discord's option type numbers. */
export const OPTIONS = {
  subcommand: 1,
  subcommandGroup: 2,
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

/** Names, descriptions and values of a command together ("Application Command Limits"). */
const MAX_CHARACTERS = 8000;

const CHAT_NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u;

const LOCALES: ReadonlySet<string> = new Set(
  (
    'id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru uk hi th zh-CN ja ' +
    'zh-TW ko'
  ).split(' '),
);

const localizations = <Text extends z.ZodType<string>>(value: Text) =>
  z
    .record(z.string(), value.nullish())
    .superRefine((texts, context) => {
      for (const locale of Object.keys(texts)) {
        if (!LOCALES.has(locale)) {
          context.addIssue(issue('ENUM_TYPE_COERCE', `Value "${locale}" is not a valid enum value.`, [locale]));
        }
      }
    })
    .nullish();

const name = text(1, 32);
const description = text(1, 100);

/** Chat input names take letters, digits, `-`, `_`, `'`, and lower case where there is one ("Naming"). */
const chatName = name.superRefine((value, context) => {
  if (value !== '' && codePoints(value) <= 32 && (!CHAT_NAME.test(value) || value !== value.toLowerCase())) {
    context.addIssue(issue('APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid'));
  }
});

const choice = z.looseObject({
  name: text(1, 100),
  name_localizations: localizations(text(1, 100)),
  value: z.union([text(0, 100), z.number()]),
});

const optionFields = {
  name: chatName,
  description,
  name_localizations: localizations(chatName),
  description_localizations: localizations(description),
  required: z.boolean().nullish(),
};

const valueOption = z
  .looseObject({
    ...optionFields,
    type: z.literal([3, 4, 5, 6, 7, 8, 9, 10, 11]),
    choices: list(choice, 0, 25).nullish(),
    autocomplete: z.boolean().nullish(),
    min_length: z.int().min(0).max(6000).nullish(),
    max_length: z.int().min(1).max(6000).nullish(),
    min_value: z.number().nullish(),
    max_value: z.number().nullish(),
    channel_types: z.array(z.int()).nullish(),
  })
  .superRefine(({ choices, autocomplete }, context) => {
    if (autocomplete && choices && choices.length > 0) {
      const message = 'Choices and autocomplete cannot both be set';
      context.addIssue(issue('APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE_EXCLUSIVE', message, ['choices']));
    }
    unique(choices ?? [], 'APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS', context, ['choices']);
  });

const orderedOptions = <Option extends z.ZodType<{ name: string; required?: boolean | null | undefined }>>(
  option: Option,
) =>
  list(option, 0, 25).superRefine((options, context) => {
    unique(options, 'APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS', context, []);
    let optional = false;
    for (const [index, { required }] of options.entries()) {
      if (required && optional) {
        const message = 'Required options must be placed before non-required options';
        context.addIssue(issue('APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID', message, [index]));
      }
      optional ||= !required;
    }
  });

const subcommand = z.looseObject({
  ...optionFields,
  type: z.literal(OPTIONS.subcommand),
  options: orderedOptions(valueOption).nullish(),
});

const subcommandGroup = z.looseObject({
  ...optionFields,
  type: z.literal(OPTIONS.subcommandGroup),
  options: list(subcommand, 1, 25),
});

const options = orderedOptions(z.discriminatedUnion('type', [subcommand, subcommandGroup, valueOption])).superRefine(
  (given, context) => {
    const nested = given.filter(({ type }) => type === OPTIONS.subcommand || type === OPTIONS.subcommandGroup);
    if (nested.length > 0 && nested.length < given.length) {
      const message = 'Sub-command and sub-command group option types are mutually exclusive to all other types';
      context.addIssue(issue('APPLICATION_COMMAND_OPTIONS_TYPE_INVALID', message));
    }
  },
);

const commonFields = {
  name_localizations: localizations(name),
  default_member_permissions: z.string().regex(/^\d+$/).nullish(),
  nsfw: z.boolean().nullish(),
  contexts: z.array(z.int()).nullish(),
  integration_types: z.array(z.int()).nullish(),
};

const chatCommand = z.looseObject({
  ...commonFields,
  type: z.literal(1).default(1),
  name: chatName,
  name_localizations: localizations(chatName),
  description,
  description_localizations: localizations(description),
  options: options.nullish(),
});

/** User (2) and message (3) commands: any case, spaces allowed, no description and no options. */
const menuCommand = z.looseObject({
  ...commonFields,
  type: z.literal([2, 3]),
  name,
  description: text(0, 0).nullish(),
});

/** One command as an application registers it. */
export const commandSchema = z
  .preprocess(
    (input) => (isObject(input) && (input['type'] ?? undefined) === undefined ? { ...input, type: 1 } : input),
    z.discriminatedUnion('type', [chatCommand, menuCommand]),
  )
  .superRefine((command, context) => {
    if (characters(command) > MAX_CHARACTERS) {
      context.addIssue(issue('APPLICATION_COMMAND_TOO_LARGE', `Command exceeds maximum size (${MAX_CHARACTERS})`));
    }
  });

export type CommandForm = z.output<typeof commandSchema>;
export type ValueOption = z.output<typeof valueOption>;
export type CommandOption = z.output<typeof options>[number];

function unique(
  items: readonly { name: string }[],
  code: string,
  context: { addIssue(found: ReturnType<typeof issue>): void },
  path: PropertyKey[],
): void {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    if (seen.has(item.name)) context.addIssue(issue(code, `The name ${item.name} is already used`, [...path, index]));
    seen.add(item.name);
  }
}

function characters(part: JsonObject): number {
  const own = ['name', 'description', 'value'].reduce((sum, key) => {
    const value = part[key];
    return sum + (typeof value === 'string' ? codePoints(value) : 0);
  }, 0);
  const nested = [part['options'], part['choices']].flatMap((items) => (Array.isArray(items) ? items : []));
  return own + nested.filter(isObject).reduce((sum, item) => sum + characters(item), 0);
}
