import { codePoints } from './code-points.ts';
import { Refusal } from '../control/refusal.ts';
import type { Guild, JsonObject, Message } from './entities.ts';
import { EntityResolution } from './entity-resolution.ts';
import { COMPONENTS } from './rest/component-schema.ts';
import type { World } from './world.ts';

/** Longest text in a text input. */
const MAX_TEXT = 4000;

/** The button or menu with this id under a message. @throws {Refusal} when it is not there, or greyed out. */
export function findComponent(message: Message, customId: string, kind: 'button' | 'select'): JsonObject {
  const component = message.components
    .flatMap((row) => objects(row['components']))
    .find((one) => one['custom_id'] === customId && (one['type'] === COMPONENTS.button) === (kind === 'button'));
  if (!component) throw new Refusal(`The message has no ${kind} ${customId}.`);
  if (component['disabled'] === true) throw new Refusal(`The ${kind} ${customId} is disabled.`);
  return component;
}

/** The data of a choice from a menu. @throws {Refusal} for values that cannot be chosen, or too many or few. */
export function selectionData(
  world: World,
  guild: Guild,
  personId: string,
  component: JsonObject,
  values: readonly string[],
): JsonObject {
  const min = numberOr(component['min_values'], 1);
  const max = numberOr(component['max_values'], 1);
  if (values.length < min || values.length > max) {
    throw new Refusal(`The menu takes ${min === max ? min : `${min} to ${max}`} values.`);
  }
  const resolution = new EntityResolution(world, guild);
  for (const value of values) resolveSelected(resolution, component, value, personId);
  return {
    component_type: component['type'],
    custom_id: component['custom_id'],
    values: [...values],
    id: 1,
    ...resolution.data,
  };
}

function resolveSelected(resolution: EntityResolution, component: JsonObject, value: string, personId: string): void {
  switch (component['type']) {
    case COMPONENTS.stringSelect:
      if (objects(component['options']).some((option) => option['value'] === value)) return;
      throw new Refusal(`The menu has no option ${value}.`);
    case COMPONENTS.userSelect:
      return resolution.user(value);
    case COMPONENTS.roleSelect:
      return resolution.role(value);
    case COMPONENTS.mentionableSelect:
      return resolution.mentionable(value);
    default: {
      const types = component['channel_types'];
      const allowed = Array.isArray(types) ? types.filter((type) => typeof type === 'number') : undefined;
      return resolution.channel(value, personId, allowed);
    }
  }
}

/** The data of a modal filled in with these texts, by custom id. @throws {Refusal} when Discord's client would not send it. */
export function modalSubmission(modal: JsonObject, fields: Readonly<Record<string, string>>): JsonObject {
  const used = new Set<string>();
  const fill = (input: JsonObject): JsonObject => {
    const id = String(input['custom_id']);
    used.add(id);
    return filledInput(input, id, fields[id]);
  };
  const components = objects(modal['components']).flatMap((part, index): JsonObject[] => {
    const { type, component } = part;
    if (type === COMPONENTS.label && isObject(component)) return [{ type, id: index + 1, component: fill(component) }];
    if (type === COMPONENTS.row) return [{ type, id: index + 1, components: objects(part['components']).map(fill) }];
    return [{ type, id: index + 1 }];
  });
  const unknown = Object.keys(fields).find((id) => !used.has(id));
  if (unknown !== undefined) throw new Refusal(`The modal has no field ${unknown}.`);
  return { custom_id: modal['custom_id'], components };
}

function filledInput(input: JsonObject, id: string, given: string | undefined): JsonObject {
  const { type, value: preset } = input;
  const value = given ?? (typeof preset === 'string' ? preset : '');
  if (value === '' && input['required'] !== false) throw new Refusal(`The field ${id} is required.`);
  if (type === COMPONENTS.stringSelect) {
    if (value !== '' && !objects(input['options']).some((option) => option['value'] === value)) {
      throw new Refusal(`The field ${id} has no option ${value}.`);
    }
    return { type, custom_id: id, values: value === '' ? [] : [value] };
  }
  const length = codePoints(value);
  const [min, max] = [numberOr(input['min_length'], 0), numberOr(input['max_length'], MAX_TEXT)];
  if (value !== '' && length < min) throw new Refusal(`The field ${id} takes at least ${min} characters.`);
  if (length > max) throw new Refusal(`The field ${id} takes at most ${max} characters.`);
  return { type, custom_id: id, value };
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
