import { randomBytes } from 'node:crypto';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { LogFields } from '../../src/telemetry/log.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

/** A secret that the logger was told about: with signs that JSON and addresses write differently. */
const KNOWN = `Pa55"w\\ord/${randomBytes(9).toString('hex')}é&+`;

/** Secrets that nobody told the logger about. Made here, so that nothing in the repository looks like a leak. */
const letters = (length: number): string => 'aB3dE6gH9'.repeat(length).slice(0, length);
const BOT_TOKEN = `${Buffer.from('987654321098765432').toString('base64url')}.GaBcDe.${letters(38)}`;
const JWT = `${Buffer.from('{"alg":"RS256","typ":"JWT"}').toString('base64url')}.${letters(300)}.${letters(86)}`;
const INTERACTION_TOKEN = `aW50ZXJhY3Rpb24${letters(150)}`;
const WEBHOOK_TOKEN = letters(68);
const OPENAI_KEY = `sk-proj-${letters(48)}`;
const AZURE_KEY = randomBytes(16).toString('hex');
const NEW_AZURE_KEY = `${letters(52)}JQQJ99${letters(26)}`;
const VOICE_TOKEN = 'f00dcafe1234beef';
const SIGNATURE = randomBytes(32).toString('hex');
const CDN_URL = `https://cdn.discordapp.com/attachments/1/2/voice.ogg?ex=${SIGNATURE.slice(0, 8)}&is=${SIGNATURE.slice(8, 16)}&hm=${SIGNATURE}&`;
const SAS = `https://store.blob.core.windows.net/c/b?sp=r&sig=${letters(43)}%3D`;
const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----\n${letters(64)}\n${letters(64)}\n-----END PRIVATE KEY-----`;
const HEX_ESCAPED = Buffer.from(KNOWN).toString('hex');

function nested(depth: number, value: unknown): unknown {
  return depth === 0 ? value : { inner: [nested(depth - 1, value)] };
}

function withStack(text: string): Error {
  const error = new Error('plain');
  error.stack = `Error: plain\n    at ${text} (file.ts:1:1)`;
  return error;
}

class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status = 401;
  readonly code = KNOWN;
  readonly headers = { authorization: `Bearer ${JWT}` };
  readonly requestBody = { json: { content: KNOWN } };
}

const circular: Record<string, unknown> = { token: VOICE_TOKEN };
circular['self'] = circular;

/** Each plants a secret where real code would; the message is the second item where it matters. */
const CANARIES: Record<string, readonly [LogFields, string?]> = {
  'a known secret in a field': [{ value: KNOWN }],
  'a known secret inside a text': [{ value: `before ${KNOWN} after` }],
  'a known secret in the message': [{}, `failed with ${KNOWN}`],
  'a known secret as a key': [{ [KNOWN]: 1 }],
  'a known secret five levels down': [{ value: nested(3, KNOWN) }],
  'a known secret too deep to be shown': [{ value: nested(20, KNOWN) }],
  'a known secret in an address': [{ url: `https://a.b/?q=${encodeURIComponent(KNOWN)}` }],
  'a known secret in base64': [{ value: Buffer.from(KNOWN).toString('base64') }],
  'a known secret in base64url': [{ value: Buffer.from(KNOWN).toString('base64url') }],
  'a known secret in hex': [{ value: HEX_ESCAPED }],
  'a known secret in JSON inside a text': [{ body: JSON.stringify({ value: KNOWN }) }],
  'a known secret at the cut of a long text': [{ value: `${'x '.repeat(3_995)}${KNOWN}${'x '.repeat(9_000)}` }],
  'a known secret in bytes': [{ body: Buffer.from(KNOWN) }],
  'a known secret in an ArrayBuffer': [{ body: new Uint8Array(Buffer.from(KNOWN)).buffer }],
  'a known secret in a Map': [{ value: new Map([['key', KNOWN]]) }],
  'a known secret in a Set': [{ value: new Set([KNOWN]) }],
  'a known secret from toJSON': [{ value: { toJSON: () => ({ value: KNOWN }) } }],
  'a known secret in an object without a prototype': [{ value: Object.assign(Object.create(null), { a: KNOWN }) }],
  'a known secret in an error message': [{ err: new Error(`refused ${KNOWN}`) }],
  'a known secret in an error under another name': [{ reason: new TypeError(`refused ${KNOWN}`) }],
  'a known secret in an error stack': [{ err: withStack(KNOWN) }],
  'a known secret in a cause of a cause': [{ err: new Error('a', { cause: new Error('b', { cause: KNOWN }) }) }],
  'a known secret in an aggregated error': [{ err: new AggregateError([new Error(KNOWN), { value: KNOWN }], 'all') }],
  'a known secret in a suppressed error': [{ err: new SuppressedError(new Error(KNOWN), new Error(KNOWN), 'both') }],
  'secrets in the properties of an HTTP error': [{ err: new HttpError('refused') }],
  'secrets in an error in a list': [{ errors: [new HttpError(`Bearer ${JWT}`)] }],
  'a bot token': [{ value: BOT_TOKEN }],
  'a bot token in the message': [{}, `signed in with ${BOT_TOKEN}`],
  'a bot token with its scheme': [{ value: `Bot ${BOT_TOKEN}` }],
  'a JSON web token': [{ value: `got ${JWT}` }],
  'a bearer token in a header': [{ headers: { Authorization: `Bearer ${letters(40)}` } }],
  'a bearer token in a text': [{ err: new Error(`authorization: Bearer ${letters(40)} was refused`) }],
  'a key in raw headers': [{ rawHeaders: ['Host', 'a.b', 'api-key', VOICE_TOKEN] }],
  'a password for basic authentication': [{ value: `Basic ${Buffer.from(`user:${letters(20)}`).toString('base64')}` }],
  'an interaction token in an address': [
    { url: `https://discord.com/api/v10/interactions/123456789012345678/${INTERACTION_TOKEN}/callback` },
  ],
  'an interaction token of a follow-up': [
    { err: new Error(`POST /webhooks/123456789012345678/${INTERACTION_TOKEN}/messages/@original`) },
  ],
  'a webhook address': [{ url: `https://discord.com/api/webhooks/123456789012345678/${WEBHOOK_TOKEN}?wait=true` }],
  'a key of OpenAI': [{ err: new Error(`Incorrect API key provided: ${OPENAI_KEY}.`) }],
  'an old key of Azure': [{ value: AZURE_KEY }],
  'a new key of Azure': [{ value: NEW_AZURE_KEY }],
  'a signed attachment address': [{ url: CDN_URL }],
  'a signed attachment address in a URL object': [{ url: new URL(CDN_URL) }],
  'a shared access signature': [{ url: SAS }],
  'a password in an address': [{ value: `postgres://parley:${WEBHOOK_TOKEN}@db/parley` }],
  'a private key': [{ value: PRIVATE_KEY }],
  'a voice token by its name': [{ d: { token: VOICE_TOKEN } }],
  'a voice token in a debug text': [{}, `[WS] >> {"op":0,"d":{"token":"${VOICE_TOKEN}","session_id":"${AZURE_KEY}"}}`],
  'a voice key by its name': [{ d: { secret_key: [...Buffer.from(VOICE_TOKEN)] } }],
  'a voice key in a debug text': [
    {},
    `[WS] << ${JSON.stringify({ d: { secret_key: [...Buffer.from(VOICE_TOKEN)] } })}`,
  ],
  'a client secret in a form': [{ body: `grant_type=client_credentials&client_secret=${WEBHOOK_TOKEN}` }],
  'a secret in something circular': [circular],
};

/** What must not be found in a line, in any form that gives it away. */
const FORBIDDEN = [
  KNOWN,
  JSON.stringify(KNOWN).slice(1, -1),
  encodeURIComponent(KNOWN),
  Buffer.from(KNOWN).toString('base64'),
  HEX_ESCAPED,
  [...Buffer.from(KNOWN)].join(),
  KNOWN.slice(0, 12),
  BOT_TOKEN.slice(-30),
  JWT.slice(-40),
  letters(40),
  letters(20),
  OPENAI_KEY.slice(-20),
  AZURE_KEY,
  VOICE_TOKEN,
  [...Buffer.from(VOICE_TOKEN)].join(),
  SIGNATURE.slice(0, 8),
  SIGNATURE.slice(-16),
  Buffer.from(`user:${letters(20)}`)
    .toString('base64')
    .slice(0, 20),
];

test('there are at least 40 canaries', () => {
  expect(Object.keys(CANARIES).length).toBeGreaterThanOrEqual(40);
});

test.each(Object.entries(CANARIES))(
  '%s does not reach the log, at any level or in a child',
  (_name, [fields, message]) => {
    const lines: string[] = [];
    const log = createLogger({ level: 'debug', destination: { write: (line) => lines.push(line) }, secrets: [KNOWN] });
    for (const logger of [log, log.child({ guildId: '1' })]) {
      for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level](fields, message ?? 'planted');
    }
    log.child(fields).info({}, 'planted');
    expect(lines).toHaveLength(9);
    for (const line of lines) {
      expect(JSON.parse(line)).toHaveProperty('msg');
      for (const forbidden of FORBIDDEN) expect(line).not.toContain(forbidden);
    }
  },
);

test('whatever is logged, a line is valid JSON and no secret is in it', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom(KNOWN, BOT_TOKEN, JWT, OPENAI_KEY, CDN_URL, PRIVATE_KEY, `Bearer ${letters(40)}`),
    fc.constantFrom(
      '"',
      '\\',
      '\\"',
      'token',
      'token=',
      '"secret_key":[',
      'x-authorization: ',
      'Bot ',
      '://',
      '@',
      '?hm=',
    ),
  );
  const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(' '));
  const key = fc.oneof(
    text,
    fc.constantFrom('token', 'x-authorization', 'secret_key', 'cookie', 'level', 'err', '__proto__'),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.anything(),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
      fc.tuple(text, tie('tree')).map(([message, cause]) => new Error(message, { cause })),
    ),
  }));
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (line) => lines.push(line) }, secrets: [KNOWN] });
  fc.assert(
    fc.property(fc.dictionary(key, tree, { maxKeys: 4 }), text, (fields, message) => {
      lines.length = 0;
      log.info(fields, message);
      expect(lines).toHaveLength(1);
      const [line = ''] = lines;
      expect(line.endsWith('}\n') && line.indexOf('\n') === line.length - 1).toBe(true);
      JSON.parse(line);
      for (const secret of [
        JSON.stringify(KNOWN).slice(1, -1),
        BOT_TOKEN.slice(-30),
        OPENAI_KEY.slice(-20),
        SIGNATURE,
      ]) {
        expect(line).not.toContain(secret);
      }
    }),
    { numRuns: 600 },
  );
});
