import { REDACTED } from './scrub.ts';

/** What a log field becomes before it is written: JSON without surprises. */
export type Plain = null | boolean | number | string | readonly Plain[] | PlainObject;

export interface PlainObject {
  readonly [key: string]: Plain;
}

/** Bounds on what one field may bring into a line. What is beyond them is named, not dropped in silence. */
const MAX_DEPTH = 8;
const MAX_ITEMS = 100;
const MAX_TEXT_LENGTH = 8_000;

/** No secret is longer: one that begins before a text is cut ends before this much behind the cut. */
const MAX_SECRET_LENGTH = 4_000;

/** Names under which libraries keep credentials. */
const SECRET_NAME =
  /(authorization|cookie|token|secret|secret[-_]?key|api[-_]?key|password|passwd|session[-_]?id|identity-header)$/i;

/** What is worth having of an error besides its text. Not its other properties: those of HTTP errors hold bodies. */
const ERROR_DETAILS = ['code', 'status', 'errno', 'syscall', 'method', 'requestID'] as const;

/** A code that cannot be a sentence. */
const SHORT_CODE = /^[\w.-]{1,64}$/;

/**
 * Turns log fields into plain JSON without secrets: errors with their causes, wherever they stand; bytes as a count; values
 * under a credential's name redacted. Never throws, whatever a getter or `toJSON` does.
 */
export class FieldWriter {
  readonly #scrub: (text: string) => string;

  constructor(scrub: (text: string) => string) {
    this.#scrub = scrub;
  }

  write(fields: object): PlainObject {
    try {
      return this.#entries(Object.entries(fields), [fields]);
    } catch {
      return { fields: '[unreadable]' };
    }
  }

  /** Every text of a line passes through here, keys and the message included. */
  text(text: string): string {
    if (text.length <= MAX_TEXT_LENGTH) return this.#scrub(text);
    // Cut after scrubbing: half a secret would not be recognised.
    const clean = this.#scrub(text.slice(0, MAX_TEXT_LENGTH + MAX_SECRET_LENGTH));
    return `${clean.slice(0, MAX_TEXT_LENGTH)}[cut: ${text.length} characters]`;
  }

  #value(value: unknown, name: string, path: readonly object[]): Plain {
    if (value !== null && value !== undefined && value !== '' && SECRET_NAME.test(name)) return REDACTED;
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
    if (value === null || value === undefined) return null;
    if (typeof value !== 'object') return `[${typeof value}]`;
    if (path.includes(value)) return '[circular]';
    if (path.length > MAX_DEPTH) return '[deeper]';
    try {
      return this.#object(value, [...path, value]);
    } catch {
      return '[unreadable]';
    }
  }

  #object(value: object, path: readonly object[]): Plain {
    if (value instanceof Error) return this.#error(value, path);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      return `[${value.byteLength} bytes]`;
    }
    if (value instanceof Map) {
      return this.#entries(
        [...value].map(([key, item]: [unknown, unknown]) => [String(key), item]),
        path,
      );
    }
    if (Array.isArray(value) || value instanceof Set) return this.#list([...value], path);
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.#value(value.toJSON(), '', path);
    return this.#entries(Object.entries(value), path);
  }

  #entries(entries: readonly (readonly [string, unknown])[], path: readonly object[]): PlainObject {
    const plain: Record<string, Plain> = {};
    for (const [key, item] of entries.slice(0, MAX_ITEMS)) {
      if (item !== undefined) plain[this.text(key)] = this.#value(item, key, path);
    }
    if (entries.length > MAX_ITEMS) plain['[more]'] = entries.length - MAX_ITEMS;
    return plain;
  }

  #list(items: readonly unknown[], path: readonly object[]): Plain {
    const plain = items.slice(0, MAX_ITEMS).map((item, index) => {
      // Raw HTTP headers are one list: name, value, name, value.
      const before = items[index - 1];
      return this.#value(item, typeof before === 'string' ? before : '', path);
    });
    return items.length > MAX_ITEMS ? [...plain, `[${items.length - MAX_ITEMS} more]`] : plain;
  }

  #error(error: Error, path: readonly object[]): PlainObject {
    const quotes = mayQuote(error, path);
    const stack = quotes ? framesOf(error) : error.stack;
    const plain: Record<string, Plain> = {
      type: this.#value(error.name, '', path),
      ...(quotes ? {} : { message: this.#value(error.message, '', path) }),
      stack: this.#value(stack, '', path),
    };
    for (const detail of ERROR_DETAILS) {
      const value: unknown = Reflect.get(error, detail);
      if (typeof value === 'number' || (typeof value === 'string' && (!quotes || SHORT_CODE.test(value)))) {
        plain[detail] = this.#value(value, '', path);
      }
    }
    if (error.cause !== undefined) plain['cause'] = this.#value(error.cause, '', path);
    if (error instanceof AggregateError) plain['errors'] = this.#value(error.errors, '', path);
    if (error instanceof SuppressedError) {
      plain['error'] = this.#value(error.error, '', path);
      plain['suppressed'] = this.#value(error.suppressed, '', path);
    }
    return plain;
  }
}

/**
 * Whether an error's text may hold what people said. A server's answer behind an error of ours is told by its status, be it
 * `undefined` where the server failed in mid-stream: its text is the server's own. What is no JSON is quoted by Node.
 */
function mayQuote(error: Error, path: readonly object[]): boolean {
  const isCause = path.some((outer) => outer !== error && outer instanceof Error);
  return error instanceof SyntaxError || (isCause && 'status' in error);
}

/** Where an error arose, without its text, which stands before that. */
function framesOf({ message, stack = '' }: Error): string {
  const at = stack.lastIndexOf(message);
  return at === -1 ? '' : stack.slice(at + message.length).trimStart();
}
