import { z } from 'zod';
import { codePoints } from '../code-points.ts';
import type { JsonObject } from '../entities.ts';
import { isSnowflake } from '../snowflake.ts';
import { DiscordError } from './errors.ts';

type Path = readonly PropertyKey[];

/** One thing wrong with a field, in Discord's words. */
export interface FieldError {
  readonly path: Path;
  readonly code: string;
  readonly message: string;
}

/** Discord's error 50035 with every field error at its place. */
export function invalidForm(...errors: readonly FieldError[]): DiscordError {
  const tree: JsonObject = {};
  for (const { path, code, message } of errors) {
    let node = tree;
    for (const key of path) {
      const child = node[String(key)];
      const next: JsonObject = isObject(child) ? child : {};
      node[String(key)] = next;
      node = next;
    }
    const list = node['_errors'];
    node['_errors'] = [...(Array.isArray(list) ? list : []), { code, message }];
  }
  return new DiscordError('invalidForm', tree);
}

/**
 * Reads a request body by a schema.
 * @throws {DiscordError} 50035 with what Discord says about each wrong field; `prefix` is where the body sits in the
 * request, such as `data` in an interaction's answer.
 */
export function parseForm<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  prefix: Path = [],
): z.output<Schema> {
  const result = schema.safeParse(input ?? {}, { reportInput: true });
  if (result.success) return result.data;
  throw invalidForm(...result.error.issues.map((issue) => fieldError(issue, prefix)));
}

/** Marks a failed refinement with Discord's own code. */
export function issue(code: string, message: string, path: PropertyKey[] = []) {
  return { code: 'custom', message, path, params: { code } } as const;
}

/** Text of so many characters, counted as Discord does: Unicode code points. */
export function text(min: number, max: number) {
  return z.string().superRefine((value, context) => {
    const problem = lengthProblem(codePoints(value), min, max);
    if (problem) context.addIssue(problem);
  });
}

/** A list of so many items. */
export function list<Item extends z.ZodType>(item: Item, min: number, max: number) {
  return z.array(item).superRefine((value, context) => {
    const problem = lengthProblem(value.length, min, max);
    if (problem) context.addIssue(problem);
  });
}

function lengthProblem(length: number, min: number, max: number) {
  if (length >= min && length <= max) return undefined;
  if (min === 0) return issue('BASE_TYPE_MAX_LENGTH', `Must be ${max} or fewer in length.`);
  if (length === 0) return issue('BASE_TYPE_REQUIRED', 'This field is required');
  return issue('BASE_TYPE_BAD_LENGTH', `Must be between ${min} and ${max} in length.`);
}

/** An id, as text. */
export const snowflake = z
  .union([z.string(), z.number()])
  .transform(String)
  .superRefine((value, context) => {
    if (!isSnowflake(value)) context.addIssue(issue('NUMBER_TYPE_COERCE', `Value "${value}" is not snowflake.`));
  });

/** A whole number within limits. */
export function integer(min: number, max: number) {
  return z.int().min(min).max(max);
}

function fieldError(found: z.core.$ZodIssue, prefix: Path): FieldError {
  const path = [...prefix, ...found.path];
  if (found.code === 'custom') return { path, code: String(found.params?.['code']), message: found.message };
  if (found.code === 'invalid_type') return { path, ...typeError(found.expected, found.input) };
  if (found.input === undefined) return { path, ...MISSING };
  if (found.code === 'invalid_value') {
    return {
      path,
      code: 'BASE_TYPE_CHOICES',
      message: `Value must be one of {${found.values.map(String).join(', ')}}.`,
    };
  }
  if (found.code === 'too_big') {
    return { path, code: 'NUMBER_TYPE_MAX', message: `int value should be less than or equal to ${found.maximum}.` };
  }
  if (found.code === 'too_small') {
    return { path, code: 'NUMBER_TYPE_MIN', message: `int value should be greater than or equal to ${found.minimum}.` };
  }
  if (found.code === 'invalid_union') {
    return { path, code: 'UNION_TYPE_CHOICES', message: 'Value does not match any of the types allowed here.' };
  }
  return { path, code: 'BASE_TYPE_INVALID', message: found.message };
}

const MISSING = { code: 'BASE_TYPE_REQUIRED', message: 'This field is required' } as const;

function typeError(expected: string, input: unknown): { code: string; message: string } {
  if (input === undefined) return MISSING;
  switch (expected) {
    case 'string':
      return { code: 'STRING_TYPE_CONVERT', message: `Could not interpret "${shown(input)}" as string.` };
    case 'number':
    case 'int':
      return { code: 'NUMBER_TYPE_COERCE', message: `Value "${shown(input)}" is not int.` };
    case 'boolean':
      return { code: 'BOOLEAN_TYPE_CONVERT', message: 'Must be either true or false.' };
    case 'array':
      return { code: 'LIST_TYPE_CONVERT', message: 'Only iterables may be used in a ListType' };
    default:
      return { code: 'MODEL_TYPE_CONVERT', message: 'Only dictionaries may be used in a ModelType' };
  }
}

function shown(input: unknown): string {
  return typeof input === 'string' ? input : JSON.stringify(input);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
