import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Env } from '../../src/config/env.ts';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { ParleyProcess } from '../support/parley-process.ts';
import { settingsFor, without } from '../support/scene.ts';

let sandbox: Sandbox;
let client: SandboxClient;

beforeAll(async () => {
  sandbox = await Sandbox.start();
  client = await SandboxClient.connect(sandbox.controlUrl);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

interface Way {
  readonly title: string;
  readonly env: (settings: Env) => Env & NodeJS.ProcessEnv;
  readonly auth: 'key' | 'bearer';
  readonly path: string;
  /** Messages that say which of several settings is used. */
  readonly notices: readonly string[];
}

const KEY_IS_USED = 'a key is set, so it is used: signing in without a key (Microsoft Entra ID) is recommended';
const AZURE_IS_USED = 'two model providers are set: Azure OpenAI is used';

const WAYS: readonly Way[] = [
  {
    title: 'Azure with a key, on the newer path',
    env: (settings) => settings,
    auth: 'key',
    path: '/openai/v1/chat/completions',
    notices: [KEY_IS_USED],
  },
  {
    title: 'Azure with a key beside a managed identity, on the dated path',
    env: (settings) => ({ ...settings, ...identity(), OPENAI_API_VERSION: '2025-01-01-preview' }),
    auth: 'key',
    path: '/openai/deployments/gpt-audio-1.5/chat/completions?api-version=2025-01-01-preview',
    notices: [KEY_IS_USED],
  },
  {
    title: 'Azure without a key, through managed identity',
    env: (settings) => ({ ...without(settings, 'AZURE_OPENAI_API_KEY'), ...identity() }),
    auth: 'bearer',
    path: '/openai/v1/chat/completions',
    notices: [],
  },
  {
    title: 'Azure without a key, on the dated path, with another provider beside it',
    env: (settings) => ({
      ...without(settings, 'AZURE_OPENAI_API_KEY'),
      ...identity(),
      OPENAI_API_VERSION: '2025-01-01-preview',
      OPENAI_API_KEY: 'sk-left-in-the-shell-by-something-else',
      OPENAI_MODEL: 'gpt-nobody',
    }),
    auth: 'bearer',
    path: '/openai/deployments/gpt-audio-1.5/chat/completions?api-version=2025-01-01-preview',
    notices: [AZURE_IS_USED],
  },
  {
    title: 'any server with the same API',
    env: ({ DISCORD_TOKEN, DISCORD_API_URL, AZURE_OPENAI_ENDPOINT: url, AZURE_OPENAI_API_KEY: key, DATABASE_URL }) => ({
      DISCORD_TOKEN,
      DISCORD_API_URL,
      DATABASE_URL,
      OPENAI_BASE_URL: `${url ?? ''}/v1`,
      OPENAI_API_KEY: key,
      OPENAI_MODEL: 'gpt-audio',
    }),
    auth: 'key',
    path: '/v1/chat/completions',
    notices: [],
  },
];

test.for(WAYS.map((way) => [way.title, way] as const))('%s', async ([, { env, auth, path, notices }]) => {
  const sinceMs = performance.now();
  await using parley = await ParleyProcess.start(env(settingsFor(sandbox)), sandbox);
  await parley.logs('ready');
  const requests = await client.modelRequests({ sinceMs });
  expect(requests.filter(({ endpoint }) => endpoint === 'chat')).toMatchObject([{ auth, path, status: 200 }]);
  expect(requests.some(({ endpoint }) => endpoint === 'token')).toBe(auth === 'bearer');
  const said = [KEY_IS_USED, AZURE_IS_USED].filter((notice) => parley.logged(notice).length === 1);
  expect(said).toEqual(notices);
  expect(await parley.stop()).toMatchObject({ code: 0, signal: null });
  expect(parley.errors).toBe('');
});

/** What an App Service sets for its managed identity. */
function identity(): NodeJS.ProcessEnv {
  return { IDENTITY_ENDPOINT: `${sandbox.model.url}/msi/token`, IDENTITY_HEADER: sandbox.model.identityHeader };
}
