import { z } from 'zod';
import { integer, issue, list, text } from './form.ts';

/** Discord's component type numbers. */
export const COMPONENTS = {
  row: 1,
  button: 2,
  stringSelect: 3,
  textInput: 4,
  userSelect: 5,
  roleSelect: 6,
  mentionableSelect: 7,
  channelSelect: 8,
  textDisplay: 10,
  label: 18,
} as const;

/** Button styles 1 to 4 are answered by the bot, 5 is a link. */
const LINK_STYLE = 5;

const customId = text(1, 100);

const button = z
  .looseObject({
    type: z.literal(COMPONENTS.button),
    style: integer(1, LINK_STYLE),
    label: text(0, 80).nullish(),
    emoji: z.looseObject({}).nullish(),
    custom_id: customId.nullish(),
    url: text(1, 512).nullish(),
    disabled: z.boolean().nullish(),
  })
  .superRefine(({ style, label, emoji, custom_id: id, url }, context) => {
    const missing = style === LINK_STYLE ? (url ?? undefined) : (id ?? undefined);
    const field = style === LINK_STYLE ? 'url' : 'custom_id';
    if (missing === undefined) context.addIssue(issue('BASE_TYPE_REQUIRED', 'This field is required', [field]));
    if (style === LINK_STYLE && id) {
      const message = 'A custom id and url cannot both be specified';
      context.addIssue(issue('BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE', message, ['custom_id']));
    }
    if (!label && !emoji) {
      context.addIssue(issue('BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED', 'A label or emoji is required'));
    }
  });

const selectFields = {
  custom_id: customId,
  placeholder: text(0, 150).nullish(),
  min_values: integer(0, 25).nullish(),
  max_values: integer(1, 25).nullish(),
  disabled: z.boolean().nullish(),
};

const stringSelect = z.looseObject({
  type: z.literal(COMPONENTS.stringSelect),
  ...selectFields,
  options: list(
    z.looseObject({
      label: text(1, 100),
      value: text(1, 100),
      description: text(0, 100).nullish(),
      default: z.boolean().nullish(),
    }),
    1,
    25,
  ).superRefine((options, context) => {
    const seen = new Set<string>();
    for (const [index, { value }] of options.entries()) {
      if (seen.has(value)) {
        const message = 'The specified option value is already used';
        context.addIssue(issue('SELECT_COMPONENT_OPTION_VALUE_DUPLICATED', message, [index, 'value']));
      }
      seen.add(value);
    }
  }),
});

const entitySelects = ([5, 6, 7, 8] as const).map((type) =>
  z.looseObject({ type: z.literal(type), ...selectFields, channel_types: z.array(z.int()).nullish() }),
);

const textInput = z.looseObject({
  type: z.literal(COMPONENTS.textInput),
  custom_id: customId,
  style: integer(1, 2),
  label: text(0, 45).nullish(),
  min_length: integer(0, 4000).nullish(),
  max_length: integer(1, 4000).nullish(),
  required: z.boolean().nullish(),
  value: text(0, 4000).nullish(),
  placeholder: text(0, 100).nullish(),
});

const rowOf = <Item extends z.ZodType>(item: Item) =>
  z.looseObject({ type: z.literal(COMPONENTS.row), components: list(item, 1, 5) });

const messageRow = rowOf(z.discriminatedUnion('type', [button, stringSelect, ...entitySelects])).superRefine(
  ({ components }, context) => {
    const selects = components.filter(({ type }) => type !== COMPONENTS.button);
    if (selects.length > 0 && components.length > 1) {
      const message = 'Maximum components width of 5 exceeded';
      context.addIssue(issue('COMPONENT_LAYOUT_WIDTH_EXCEEDED', message, ['components']));
    }
  },
);

/** The rows of buttons and menus under a message. */
export const messageComponentsSchema = list(messageRow, 0, 5).superRefine((rows, context) => {
  const places = rows.flatMap(({ components }, row) =>
    components.map((component, index) => ({
      id: component['custom_id'],
      path: [row, 'components', index, 'custom_id'],
    })),
  );
  reportDuplicates(places, (path) => context.addIssue(duplicate(path)));
});

const modalRow = rowOf(textInput).superRefine(({ components }, context) => {
  if (components.length > 1) {
    context.addIssue(issue('BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 1 in length.', ['components']));
  }
  for (const [index, { label }] of components.entries()) {
    if (!label) context.addIssue(issue('BASE_TYPE_REQUIRED', 'This field is required', ['components', index, 'label']));
  }
});

const label = z.looseObject({
  type: z.literal(COMPONENTS.label),
  label: text(1, 45),
  description: text(0, 100).nullish(),
  component: z.discriminatedUnion('type', [textInput, stringSelect, ...entitySelects]),
});

const textDisplay = z.looseObject({ type: z.literal(COMPONENTS.textDisplay), content: text(1, 4000) });

/** A form that a person fills in. */
export const modalSchema = z.looseObject({
  custom_id: customId,
  title: text(1, 45),
  components: list(z.discriminatedUnion('type', [modalRow, label, textDisplay]), 1, 5).superRefine((parts, context) => {
    const places = parts.flatMap((part, index): { id: unknown; path: PropertyKey[] }[] => {
      if (part.type === COMPONENTS.label) {
        return [{ id: part.component.custom_id, path: [index, 'component', 'custom_id'] }];
      }
      if (part.type === COMPONENTS.textDisplay) return [];
      return part.components.map((input, at) => ({
        id: input.custom_id,
        path: [index, 'components', at, 'custom_id'],
      }));
    });
    reportDuplicates(places, (path) => context.addIssue(duplicate(path)));
  }),
});

function reportDuplicates(
  places: readonly { id: unknown; path: PropertyKey[] }[],
  report: (path: PropertyKey[]) => void,
): void {
  const seen = new Set<unknown>();
  for (const { id, path } of places) {
    if (typeof id !== 'string') continue;
    if (seen.has(id)) report(path);
    seen.add(id);
  }
}

function duplicate(path: PropertyKey[]) {
  return issue('COMPONENT_CUSTOM_ID_DUPLICATED', 'Component custom id cannot be duplicated', path);
}
