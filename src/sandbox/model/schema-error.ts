import type { z } from 'zod';

import { invalidRequest } from './api-error.ts';
import type { ApiError } from './api-error.ts';

type Issue = z.core.$ZodIssue;

/** Values that choose a variant, which the schema library does not repeat in its issues. */
const DISCRIMINATORS: Readonly<Record<string, readonly string[]>> = {
  role: ['system', 'developer', 'assistant', 'user', 'tool'],
  type: ['text', 'input_audio'],
};

/** What the schema says of a value that is not there. */
const MISSING_CODES: readonly Issue['code'][] = ['invalid_type', 'invalid_value', 'invalid_union'];

/** The first problem that the schema found in `body`, in the API's words. */
export function schemaError(issues: readonly Issue[], body: unknown): ApiError {
  const { issue, path } = deepest(issues);
  const name = parameterName(path);
  const value = valueAt(body, path);
  if (value === undefined && MISSING_CODES.includes(issue.code)) {
    return invalidRequest(`Missing required parameter: '${name}'.`, name, 'missing_required_parameter');
  }
  if (issue.code === 'invalid_type') {
    const message = `Invalid type for '${name}': expected ${withArticle(issue.expected)}, but got ${kindOf(value)} instead.`;
    return invalidRequest(message, name, 'invalid_type');
  }
  if (issue.code === 'invalid_value') return unsupportedValue(name, value, issue.values.map(String));
  if (issue.code === 'invalid_union') return unsupportedValue(name, value, DISCRIMINATORS[String(path.at(-1))] ?? []);
  if (issue.code === 'too_small' && issue.origin === 'array') {
    const message = `Invalid '${name}': empty array. Expected an array with minimum length 1, but got an empty array instead.`;
    return invalidRequest(message, name, 'empty_array');
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const [side, bound] =
      issue.code === 'too_small' ? ['below minimum', `>= ${issue.minimum}`] : ['above maximum', `<= ${issue.maximum}`];
    const message = `Invalid '${name}': number ${side} value. Expected a value ${bound}, but got ${String(value)} instead.`;
    return invalidRequest(
      message,
      name,
      issue.code === 'too_small' ? 'decimal_below_min_value' : 'decimal_above_max_value',
    );
  }
  return invalidRequest(`Invalid value for '${name}'.`, name, 'invalid_value');
}

function unsupportedValue(name: string, value: unknown, supported: readonly string[]): ApiError {
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  return invalidRequest(
    `Invalid value: '${shown}'. Supported values are: ${quotedList(supported)}.`,
    name,
    'invalid_value',
  );
}

/** `'a', 'b', and 'c'`. */
function quotedList(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  const last = quoted.pop() ?? '';
  if (quoted.length === 0) return last;
  return `${quoted.join(', ')}${quoted.length > 1 ? ',' : ''} and ${last}`;
}

/** Of a union's variants the one that got furthest is what was meant. */
function deepest(issues: readonly Issue[], prefix: readonly PropertyKey[] = []): { issue: Issue; path: PropertyKey[] } {
  const [issue] = issues;
  if (issue === undefined) throw new RangeError('no issue');
  const path = [...prefix, ...issue.path];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return { issue, path };
  const variants = issue.errors.filter((variant) => variant.length > 0).map((variant) => deepest(variant, path));
  const [furthest] = variants.toSorted((a, b) => b.path.length - a.path.length);
  return furthest ?? { issue, path };
}

function parameterName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, key) => {
    if (typeof key === 'number') return `${name}[${key}]`;
    return name === '' ? String(key) : `${name}.${String(key)}`;
  }, '');
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return new Map<PropertyKey, unknown>(Object.entries(value)).get(String(key));
  }, body);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number';
  return withArticle(typeof value);
}

function withArticle(kind: string): string {
  const name = kind === 'int' ? 'integer' : kind === 'record' ? 'object' : kind;
  return /^[aeio]/.test(name) ? `an ${name}` : `a ${name}`;
}
