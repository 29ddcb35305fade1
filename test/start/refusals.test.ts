import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Env } from '../../src/config/env.ts';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { ParleyProcess } from '../support/parley-process.ts';
import { settingsFor, without } from '../support/scene.ts';

/** Settings are wrong: restarting does not help. */
const CONFIG = 78;
/** Something outside is not there: restarting later may help. */
const UNAVAILABLE = 69;

let sandbox: Sandbox;
let client: SandboxClient;
let occupied: Server;

beforeAll(async () => {
  sandbox = await Sandbox.start();
  client = await SandboxClient.connect(sandbox.controlUrl);
  occupied = createServer().listen(0, '127.0.0.1');
  await once(occupied, 'listening');
});

afterAll(async () => {
  occupied.close();
  await client[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

/** A token of the right form that this Discord has never given out. */
const STRANGE_TOKEN = `${Buffer.from('123456789012345678').toString('base64url')}.AbCdEf.${'x'.repeat(38)}`;

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:1';

interface Refusal {
  readonly title: string;
  readonly env: (settings: Env) => Env;
  readonly code: number;
  /** What the person at the terminal reads, in order. */
  readonly says: readonly RegExp[];
}

const REFUSALS: readonly Refusal[] = [
  {
    title: 'a token that Discord does not know',
    env: (settings) => ({ ...settings, DISCORD_TOKEN: STRANGE_TOKEN }),
    code: CONFIG,
    says: [/^Discord does not accept the bot token\. Check DISCORD_TOKEN: .*\.$/],
  },
  {
    title: 'a Discord that cannot be reached',
    env: (settings) => ({ ...settings, DISCORD_API_URL: `${NOWHERE}/api` }),
    code: UNAVAILABLE,
    says: [/^Discord cannot be reached\. Check the network and DISCORD_API_URL\.$/],
  },
  {
    title: 'a model that cannot be reached',
    env: (settings) => ({ ...settings, AZURE_OPENAI_ENDPOINT: NOWHERE }),
    code: UNAVAILABLE,
    says: [/^The model cannot be used\. No answer from 127\.0\.0\.1:1.*check AZURE_OPENAI_ENDPOINT.*\.$/],
  },
  {
    title: 'a deployment that does not exist',
    env: (settings) => ({ ...settings, AZURE_OPENAI_DEPLOYMENT_NAME: 'gpt-nobody' }),
    code: CONFIG,
    says: [/^The model cannot be used\. .* has no deployment "gpt-nobody" \(AZURE_OPENAI_DEPLOYMENT_NAME\).*\.$/],
  },
  {
    title: 'a wrong key',
    env: (settings) => ({ ...settings, AZURE_OPENAI_API_KEY: 'sk-nobody-knows-this-key-0123456789' }),
    code: CONFIG,
    says: [/^The model cannot be used\. .* refuses the key: check AZURE_OPENAI_API_KEY.*\.$/],
  },
  {
    title: 'a compatible server without its model',
    env: ({ AZURE_OPENAI_ENDPOINT: url, AZURE_OPENAI_API_KEY: key, ...settings }) => ({
      ...without(settings, 'AZURE_OPENAI_DEPLOYMENT_NAME'),
      OPENAI_BASE_URL: `${url ?? ''}/v1`,
      OPENAI_API_KEY: key,
      OPENAI_MODEL: 'gpt-nobody',
    }),
    code: CONFIG,
    says: [/^The model cannot be used\. .* has no model "gpt-nobody" \(OPENAI_MODEL\).*\.$/],
  },
  {
    title: 'nobody signed in, and no key',
    env: (settings) => ({
      ...without(settings, 'AZURE_OPENAI_API_KEY'),
      // Whoever answers there is no identity endpoint.
      IDENTITY_ENDPOINT: `${NOWHERE}/msi/token`,
      IDENTITY_HEADER: 'nobody',
      AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    }),
    code: CONFIG,
    says: [/^The model cannot be used\. No Microsoft Entra token .*managed identity.*az login.*\.$/],
  },
  {
    title: 'a group that is half set',
    env: (settings) => without(settings, 'AZURE_OPENAI_DEPLOYMENT_NAME'),
    code: CONFIG,
    says: [/AZURE_OPENAI_DEPLOYMENT_NAME is missing beside AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY: set /],
  },
  {
    title: 'several mistakes at once, each with what to do',
    env: (settings) => ({
      ...without(settings, 'AZURE_OPENAI_ENDPOINT'),
      DISCORD_TOKEN: 'Bot abc',
      LOG_LEVEL: 'loud',
      HEALTH_PORT: 'eighty',
    }),
    code: CONFIG,
    says: [
      /DISCORD_TOKEN /,
      /AZURE_OPENAI_ENDPOINT is missing/,
      /LOG_LEVEL is not one of/,
      /HEALTH_PORT is not a port/,
    ],
  },
  {
    title: 'SANDBOX=never, and nothing else',
    env: () => ({ SANDBOX: 'never' }),
    code: CONFIG,
    says: [/DISCORD_TOKEN is missing, and SANDBOX=never/, /AZURE_OPENAI_ENDPOINT is missing, and SANDBOX=never/],
  },
  {
    title: 'a port that is taken',
    env: (settings) => ({ ...settings, HEALTH_PORT: String(portOf(occupied)) }),
    code: CONFIG,
    says: [/\b\d+\b.*\.$/],
  },
];

test.for(REFUSALS.map((refusal) => [refusal.title, refusal] as const))('%s', async ([, { env, code, says }]) => {
  const settings = env(settingsFor(sandbox));
  await using parley = await ParleyProcess.start(settings, sandbox);
  expect(await parley.exited, parley.errors).toMatchObject({ code, signal: null });
  expectForPeople(parley, settings);
  const lines = parley.errors.trim().split('\n');
  for (const sentence of says)
    expect(
      lines.some((line) => sentence.test(line)),
      `${String(sentence)} in ${parley.errors}`,
    ).toBe(true);
  if (says.length === 1) expect(lines.length).toBeLessThanOrEqual(2);
});

test('a token that Discord takes away while it runs', async () => {
  const settings = settingsFor(sandbox);
  await using parley = await ParleyProcess.start(settings, sandbox);
  await parley.logs('ready');
  await client.gatewayFault({ kind: 'close', code: 4004 });
  expect(await parley.exited).toMatchObject({ code: CONFIG, signal: null });
  expect(parley.errors.trim()).toBe(
    'Discord closed the gateway with 4004: the bot token is wrong. Check DISCORD_TOKEN: Developer Portal, your application, Bot.',
  );
  expectForPeople(parley, settings);
  expect(parley.logged('stopped')).toHaveLength(1);
});

/** No stack trace, no class name, no secret; and nothing secret in the log either. */
function expectForPeople(parley: ParleyProcess, settings: Env): void {
  expect(parley.errors).not.toMatch(/^\s+at /m);
  expect(parley.errors).not.toMatch(/\b\w+Error\b|node:internal|undefined|\[object/);
  const secrets = [
    settings.DISCORD_TOKEN,
    settings.AZURE_OPENAI_API_KEY,
    settings.OPENAI_API_KEY,
    sandbox.model.apiKey,
  ];
  for (const secret of secrets.filter((one) => one !== undefined)) {
    expect(parley.errors.includes(secret), 'a secret on standard error').toBe(false);
    expect(parley.output.includes(secret), 'a secret in the log').toBe(false);
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}
