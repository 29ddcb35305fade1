import { inspect } from 'node:util';

import { expect, test } from 'vitest';

import { Secret } from '../../src/config/secret.ts';

const VALUE = 'correct-horse-battery-staple';

/** Every way we know in which a value ends up where people can read it. */
const PRINTERS: Record<string, (secret: Secret) => unknown> = {
  'String()': (secret) => String(secret),
  'a template string': (secret) => String.raw`the token is ${secret}`,
  concatenation: (secret) => 'the token is ' + secret,
  'toLocaleString()': (secret) => secret.toLocaleString(),
  'JSON.stringify': (secret) => JSON.stringify({ secret, list: [secret] }),
  'util.inspect': (secret) => inspect({ secret, deep: { list: [secret] } }, { depth: null, showHidden: true }),
  'util.inspect without the custom hook': (secret) => inspect(secret, { customInspect: false, showHidden: true }),
  'an error message': (secret) => new Error(String.raw`refused: ${secret}`).message,
  'an error stack': (secret) => new Error(String.raw`refused: ${secret}`).stack,
  'an error cause': (secret) => inspect(new Error('refused', { cause: secret })),
  'a structured clone': (secret) => inspect(structuredClone(secret), { showHidden: true }),
  'a copy of its properties': (secret) => inspect(Object.assign({}, secret), { showHidden: true }),
  'Object.entries': (secret) => inspect(Object.entries(secret)),
  'all own keys': (secret) => inspect(Reflect.ownKeys(secret)),
  'a Map key': (secret) => inspect(new Map([[secret, secret]])),
  'an array joined': (secret) => [secret, secret].join(),
  'a URL': (secret) => new URL(String.raw`https://example.com/?key=${secret}`).href,
};

test.each(Object.entries(PRINTERS))('%s does not show a secret', (_name, print) => {
  expect(String(print(new Secret(VALUE)))).not.toContain(VALUE);
});

test('a secret is shown as redacted, so that a reader knows something is there', () => {
  expect(String(new Secret(VALUE))).toBe('[redacted]');
  expect(JSON.stringify({ token: new Secret(VALUE) })).toBe('{"token":"[redacted]"}');
});

test('reveal gives the value', () => {
  expect(new Secret(VALUE).reveal()).toBe(VALUE);
});
