import { inspect } from 'node:util';

import { describe, expect, test } from 'vitest';

import { parseConfig, secretsOf } from '../../src/config/config.ts';
import type { Env } from '../../src/config/env.ts';
import { ConfigError, EXIT_CONFIG } from '../../src/config/problems.ts';

/** Made here, so that nothing in the repository looks like a leaked token. */
const TOKEN = `${Buffer.from('123456789012345678').toString('base64url')}.GaBcDe.${'t'.repeat(38)}`;

const AZURE = {
  AZURE_OPENAI_ENDPOINT: 'https://parley.openai.azure.com',
  AZURE_OPENAI_DEPLOYMENT_NAME: 'gpt-audio-1.5',
} as const;

function problemsOf(env: Env): readonly string[] {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('nothing set', () => {
  test('is the sandbox, a local file and Discord’s attachment hosts', () => {
    expect(parseConfig({})).toEqual({
      discord: { kind: 'sandbox' },
      model: { kind: 'sandbox' },
      transcribeModel: undefined,
      talk: {
        voice: 'alloy',
        voices: ['alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', 'verse', 'marin', 'cedar'],
        answers: 'name',
        speculates: true,
        turnSilenceMs: undefined,
      },
      database: { kind: 'sqlite', file: 'data/parley.db' },
      memory: { keys: undefined, tokenBudget: 16_000, retentionDays: 30, deletionGraceDays: 7 },
      attachmentHosts: [
        { protocol: 'https:', host: 'cdn.discordapp.com' },
        { protocol: 'https:', host: 'media.discordapp.net' },
      ],
      logLevel: 'info',
      ffmpeg: 'ffmpeg',
      healthPort: undefined,
      narrateConfirmMs: 600_000,
      notices: [],
    });
  });

  test('is refused when the sandbox may not fill in, both groups at once', () => {
    expect(problemsOf({ SANDBOX: 'never' })).toEqual([
      expect.stringContaining('DISCORD_TOKEN'),
      expect.stringContaining('AZURE_OPENAI_ENDPOINT'),
    ]);
    expect(problemsOf({ SANDBOX: 'never', DISCORD_TOKEN: TOKEN, ...AZURE })).toEqual([]);
  });
});

describe('Discord', () => {
  test('a token means Discord itself', () => {
    const { discord } = parseConfig({ DISCORD_TOKEN: TOKEN });
    expect(discord).toMatchObject({ kind: 'server', apiUrl: 'https://discord.com/api' });
    expect(discord.kind === 'server' && discord.token.reveal()).toBe(TOKEN);
  });

  test('another server keeps its path and loses the slash at its end', () => {
    const { discord } = parseConfig({ DISCORD_TOKEN: TOKEN, DISCORD_API_URL: 'http://127.0.0.1:4000/api/' });
    expect(discord).toMatchObject({ apiUrl: 'http://127.0.0.1:4000/api' });
  });

  test.each([
    ['a client secret', { DISCORD_TOKEN: 'q1w2e3r4t5y6u7i8o9p0q1w2e3r4t5y6' }, 'not a bot token'],
    ['a placeholder', { DISCORD_TOKEN: 'your-token-here' }, 'not a bot token'],
    ['the scheme with it', { DISCORD_TOKEN: `Bot ${TOKEN}` }, 'the word "Bot"'],
    ['quotation marks', { DISCORD_TOKEN: `"${TOKEN}"` }, 'quotation marks'],
    ['a line break inside', { DISCORD_TOKEN: `${TOKEN}\nX=1` }, 'not a bot token'],
    ['an address without a token', { DISCORD_API_URL: 'https://discord.com/api' }, 'DISCORD_TOKEN is missing'],
    ['an address with a version', { DISCORD_TOKEN: TOKEN, DISCORD_API_URL: 'https://a.b/api/v10' }, 'version'],
  ])('%s is one clear problem', (_name, env, text) => {
    expect(problemsOf(env)).toEqual([expect.stringContaining(text)]);
  });

  test.each(['OPENAI_API_KEY', 'OPENAI_MODEL', 'AZURE_OPENAI_API_KEY', 'LOG_LEVEL', 'DATABASE_URL'] as const)(
    'a bot token in %s is named and not shown',
    (variable) => {
      const problems = problemsOf({ [variable]: TOKEN });
      expect(problems).toContainEqual(
        expect.stringMatching(new RegExp(`^${variable} holds what looks like a Discord bot`)),
      );
      expect(problems.join()).not.toContain(TOKEN);
    },
  );

  test('a JSON web token as a key is not taken for a bot token', () => {
    const jwt = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.eyJzdWIiOiIxIn0.${'s'.repeat(43)}`;
    expect(problemsOf({ OPENAI_MODEL: 'm', OPENAI_BASE_URL: 'https://a.b/v1', OPENAI_API_KEY: jwt })).toEqual([]);
  });
});

describe('Azure OpenAI', () => {
  test('is keyless and without a dated version by default', () => {
    expect(parseConfig(AZURE)).toMatchObject({
      model: {
        kind: 'azure',
        endpoint: 'https://parley.openai.azure.com',
        deployment: 'gpt-audio-1.5',
        apiVersion: undefined,
        auth: { kind: 'entra', scope: 'https://cognitiveservices.azure.com/.default' },
      },
      notices: [],
    });
  });

  test('takes a version and a scope', () => {
    const env = {
      ...AZURE,
      OPENAI_API_VERSION: '2025-01-01-preview',
      AZURE_OPENAI_SCOPE: 'https://ai.azure.com/.default',
    };
    expect(parseConfig(env).model).toMatchObject({
      apiVersion: '2025-01-01-preview',
      auth: { kind: 'entra', scope: 'https://ai.azure.com/.default' },
    });
  });

  test('uses a key that is set and says once that keyless is recommended', () => {
    const { model, notices } = parseConfig({
      ...AZURE,
      AZURE_OPENAI_API_KEY: 'k'.repeat(84),
      AZURE_OPENAI_SCOPE: 'api://x/.default',
    });
    expect(model.kind === 'azure' && model.auth.kind === 'key' && model.auth.key.reveal()).toBe('k'.repeat(84));
    expect(notices).toEqual([
      {
        level: 'warn',
        fields: { variable: 'AZURE_OPENAI_API_KEY', ignored: ['AZURE_OPENAI_SCOPE'] },
        message: expect.stringContaining('recommended'),
      },
    ]);
  });

  test.each(['', '/', '/openai', '/openai/v1', '/openai/v1/'])(
    'the endpoint may end in "%s", as the portal shows it',
    (end) => {
      const env = { ...AZURE, AZURE_OPENAI_ENDPOINT: `https://parley.openai.azure.com${end}` };
      expect(parseConfig(env).model).toMatchObject({ endpoint: 'https://parley.openai.azure.com' });
    },
  );

  test('a gateway’s path before the API is kept', () => {
    const env = { ...AZURE, AZURE_OPENAI_ENDPOINT: 'https://gateway.example/ai/openai/v1' };
    expect(parseConfig(env).model).toMatchObject({ endpoint: 'https://gateway.example/ai' });
  });

  test.each([
    ['an endpoint alone', { AZURE_OPENAI_ENDPOINT: 'https://a.openai.azure.com' }, ['AZURE_OPENAI_DEPLOYMENT_NAME']],
    ['a deployment alone', { AZURE_OPENAI_DEPLOYMENT_NAME: 'd' }, ['AZURE_OPENAI_ENDPOINT']],
    ['a key alone', { AZURE_OPENAI_API_KEY: 'key' }, ['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_DEPLOYMENT_NAME']],
    [
      'a version alone',
      { OPENAI_API_VERSION: '2025-01-01' },
      ['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_DEPLOYMENT_NAME'],
    ],
    [
      'a scope alone',
      { AZURE_OPENAI_SCOPE: 'https://ai.azure.com/.default' },
      ['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_DEPLOYMENT_NAME'],
    ],
  ])('%s is refused, and what is missing is named', (_name, env, missing) => {
    expect(problemsOf(env)).toEqual(
      missing.map((name) => expect.stringMatching(new RegExp(`^${name} is missing beside`))),
    );
  });

  test.each([
    [
      'a whole request’s address',
      { AZURE_OPENAI_ENDPOINT: 'https://a.openai.azure.com/openai/deployments/d/chat/completions?api-version=1' },
    ],
    ['a Foundry project’s address', { AZURE_OPENAI_ENDPOINT: 'https://a.services.ai.azure.com/api/projects/p' }],
    ['a query', { AZURE_OPENAI_ENDPOINT: 'https://a.openai.azure.com/?x=1' }],
    ['no scheme', { AZURE_OPENAI_ENDPOINT: 'a.openai.azure.com' }],
    ['no encryption', { AZURE_OPENAI_ENDPOINT: 'http://a.openai.azure.com' }],
    ['a password in it', { AZURE_OPENAI_ENDPOINT: 'https://user:password@a.openai.azure.com' }],
    ['a deployment’s address for its name', { AZURE_OPENAI_DEPLOYMENT_NAME: 'https://a/b' }],
    ['a version that is none', { OPENAI_API_VERSION: 'latest' }],
    ['a scope that is none', { AZURE_OPENAI_SCOPE: 'https://ai.azure.com' }],
    ['a key with blanks in it', { AZURE_OPENAI_API_KEY: 'Bearer abc' }],
  ])('%s is one clear problem', (_name, env) => {
    expect(problemsOf({ ...AZURE, ...env })).toEqual([expect.stringMatching(`^${Object.keys(env).join()} `)]);
  });

  test('a server on this machine needs no encryption', () => {
    expect(problemsOf({ ...AZURE, AZURE_OPENAI_ENDPOINT: 'http://127.0.0.1:4001' })).toEqual([]);
  });
});

describe('a server with the same API', () => {
  test('a key and a model are OpenAI itself', () => {
    const { model } = parseConfig({ OPENAI_API_KEY: 'sk-test', OPENAI_MODEL: 'gpt-audio-1.5' });
    expect(model).toMatchObject({ kind: 'compatible', baseUrl: 'https://api.openai.com/v1', model: 'gpt-audio-1.5' });
    expect(model.kind === 'compatible' && model.apiKey?.reveal()).toBe('sk-test');
  });

  test('an address and a model need no key', () => {
    expect(parseConfig({ OPENAI_BASE_URL: 'http://localhost:8000/v1/', OPENAI_MODEL: 'm' }).model).toEqual({
      kind: 'compatible',
      baseUrl: 'http://localhost:8000/v1',
      apiKey: undefined,
      model: 'm',
    });
  });

  test('an address elsewhere without encryption is used with a warning', () => {
    const { notices } = parseConfig({ OPENAI_BASE_URL: 'http://gpu-box:8000/v1', OPENAI_MODEL: 'm' });
    expect(notices).toEqual([expect.objectContaining({ level: 'warn', fields: { variable: 'OPENAI_BASE_URL' } })]);
  });

  test.each([
    ['a key alone', { OPENAI_API_KEY: 'sk-test' }, 'OPENAI_MODEL is missing beside OPENAI_API_KEY'],
    ['an address alone', { OPENAI_BASE_URL: 'https://a.b/v1' }, 'OPENAI_MODEL is missing beside OPENAI_BASE_URL'],
    ['a model alone', { OPENAI_MODEL: 'm' }, 'OPENAI_API_KEY is missing'],
    [
      'OpenAI without a key',
      { OPENAI_MODEL: 'm', OPENAI_BASE_URL: 'https://api.openai.com/v1' },
      'OPENAI_API_KEY is missing',
    ],
    ['a request’s address', { OPENAI_MODEL: 'm', OPENAI_BASE_URL: 'https://a.b/v1/chat/completions' }, 'whole request'],
    ['another protocol', { OPENAI_MODEL: 'm', OPENAI_BASE_URL: 'ws://a.b/v1' }, 'not a web address'],
  ])('%s is one clear problem', (_name, env, text) => {
    expect(problemsOf(env)).toEqual([expect.stringContaining(text)]);
  });

  test.each([
    { OPENAI_API_KEY: 'sk-test' },
    { OPENAI_BASE_URL: 'https://a.b/v1', OPENAI_API_KEY: 'sk-test', OPENAI_MODEL: 'm' },
  ])('beside a complete Azure group it is left unused, with one line that says so: %o', (others) => {
    const { model, notices } = parseConfig({ ...AZURE, ...others });
    expect(model.kind).toBe('azure');
    expect(notices).toEqual([
      {
        level: 'warn',
        fields: { ignored: Object.keys(others) },
        message: 'two model providers are set: Azure OpenAI is used',
      },
    ]);
  });

  test('does not excuse a half-set Azure group', () => {
    const env = { OPENAI_API_KEY: 'sk-test', OPENAI_MODEL: 'm', AZURE_OPENAI_ENDPOINT: 'https://a.openai.azure.com' };
    expect(problemsOf(env)).toEqual([expect.stringContaining('AZURE_OPENAI_DEPLOYMENT_NAME is missing')]);
  });
});

describe('the transcription model', () => {
  test('belongs to a model that is set', () => {
    expect(parseConfig({ ...AZURE, TRANSCRIBE_MODEL: 'whisper' }).transcribeModel).toBe('whisper');
  });

  test('is left out, with a line that says so, when the sandbox answers', () => {
    const { transcribeModel, notices } = parseConfig({ TRANSCRIBE_MODEL: 'whisper' });
    expect(transcribeModel).toBeUndefined();
    expect(notices).toEqual([expect.objectContaining({ fields: { ignored: ['TRANSCRIBE_MODEL'] } })]);
  });
});

describe('the database', () => {
  test.each([
    ['sqlite:data/other.db', 'data/other.db'],
    ['sqlite:/data/parley.db', '/data/parley.db'],
    ['sqlite::memory:', ':memory:'],
    ['data/other.db', 'data/other.db'],
    ['C:\\parley\\parley.db', 'C:\\parley\\parley.db'],
  ])('%s is a file', (value, file) => {
    expect(parseConfig({ DATABASE_URL: value }).database).toEqual({ kind: 'sqlite', file });
  });

  test.each(['postgres://u:p%40ss@db/parley', 'postgresql://db/parley', 'postgres:///parley?host=/run/postgresql'])(
    '%s is PostgreSQL',
    (value) => {
      const { database } = parseConfig({ DATABASE_URL: value });
      expect(database.kind === 'postgres' && database.url.reveal()).toBe(value);
    },
  );

  test.each([
    'mysql://u:p@db/parley',
    'file:parley.db',
    'sqlite:',
    'sqlite:data/',
    'sqlite://data/x.db',
    'postgres:///parley',
    'postgres://u:p@ss/w@db:x/parley',
    'postgres://u:%zz@db/parley',
  ])('%s is one clear problem', (value) => {
    expect(problemsOf({ DATABASE_URL: value })).toEqual([expect.stringMatching(/^DATABASE_URL .*write /)]);
  });
});

describe('attachment hosts', () => {
  test('replace Discord’s own; only this machine may be reached without encryption', () => {
    const value = 'cdn.discordapp.com, files.example:8443 https://127.0.0.1:1 http://localhost:2 [::1]:3';
    expect(parseConfig({ ATTACHMENT_HOSTS: value }).attachmentHosts).toEqual([
      { protocol: 'https:', host: 'cdn.discordapp.com' },
      { protocol: 'https:', host: 'files.example:8443' },
      { protocol: 'https:', host: '127.0.0.1:1' },
      { protocol: 'http:', host: 'localhost:2' },
      { protocol: 'https:', host: '[::1]:3' },
      { protocol: 'http:', host: '[::1]:3' },
    ]);
  });

  test.each([
    '*.discordapp.com',
    'http://cdn.discordapp.com',
    'http://127.0.0.1.example.com',
    'ftp://a.b',
    'a.b/path',
    'user@a.b',
    'a.b?x',
    'a.b:99999',
    ',',
  ])('"%s" is one clear problem', (value) => {
    expect(
      problemsOf({ ATTACHMENT_HOSTS: `cdn.discordapp.com,${value}`.replace('cdn.discordapp.com,,', ',') }),
    ).toEqual([expect.stringContaining('ATTACHMENT_HOSTS is not a list of host names')]);
  });
});

describe('the rest', () => {
  test.each([
    ['8080', 8080],
    ['0', 0],
    ['65535', 65_535],
  ])('HEALTH_PORT=%s', (value, port) => {
    expect(parseConfig({ HEALTH_PORT: value }).healthPort).toBe(port);
  });

  test.each(['65536', '-1', '80.5', 'http', '0x50', '1e3'])('HEALTH_PORT=%s is one clear problem', (value) => {
    expect(problemsOf({ HEALTH_PORT: value })).toEqual([expect.stringContaining('HEALTH_PORT is not a port')]);
  });

  test('LOG_LEVEL is one of four, however it is written', () => {
    expect(parseConfig({ LOG_LEVEL: 'DEBUG' }).logLevel).toBe('debug');
    expect(problemsOf({ LOG_LEVEL: 'verbose' })).toEqual([expect.stringContaining('debug, info, warn, error')]);
  });

  test('SANDBOX is one of two', () => {
    expect(problemsOf({ SANDBOX: 'off' })).toEqual([expect.stringContaining('neither "auto"')]);
  });
});

describe('many mistakes', () => {
  const env: Env = {
    DISCORD_TOKEN: 'wrong-token-0001',
    DISCORD_API_URL: 'wrong-address-0002',
    AZURE_OPENAI_ENDPOINT: 'https://user:wrong-password-0003@a.openai.azure.com',
    AZURE_OPENAI_API_KEY: 'wrong key 0004',
    DATABASE_URL: 'mysql://user:wrong-password-0005@db/x',
    ATTACHMENT_HOSTS: '*wrong-host-0006',
    LOG_LEVEL: 'wrong-level-0007',
    HEALTH_PORT: 'wrong-port-0008',
    SANDBOX: 'wrong-mode-0009',
    OPENAI_API_VERSION: 'wrong-version-0010',
  };

  test('are all listed at once, each with its variable, and no value is shown', () => {
    const error = catchError(() => parseConfig(env));
    expect(error).toBeInstanceOf(ConfigError);
    for (const name of Object.keys(env)) expect(error.message).toContain(`- ${name} `);
    expect(error.message).toContain('- AZURE_OPENAI_DEPLOYMENT_NAME is missing');
    expect(`${inspect(error, { depth: null })}${error.stack}`).not.toMatch(/wrong.{1,10}\d{4}/);
  });

  test('end the process as a configuration error', () => {
    expect(EXIT_CONFIG).toBe(78);
  });
});

test('the secrets of the settings are known to whoever must hide them', () => {
  const config = parseConfig({
    ...AZURE,
    DISCORD_TOKEN: TOKEN,
    AZURE_OPENAI_API_KEY: 'azure-key',
    DATABASE_URL: 'postgres://u:p%40ssword@db/parley',
  });
  expect(secretsOf(config)).toEqual([
    TOKEN,
    'azure-key',
    'postgres://u:p%40ssword@db/parley',
    'p%40ssword',
    'p@ssword',
  ]);
  expect(inspect(config, { depth: null })).not.toMatch(/azure-key|ssword/);
  expect(inspect(config, { depth: null })).not.toContain(TOKEN);
  expect(secretsOf(parseConfig({ OPENAI_API_KEY: 'sk-key', OPENAI_MODEL: 'm' }))).toEqual(['sk-key']);
  expect(secretsOf(parseConfig({}))).toEqual([]);
});

function catchError(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}

describe('how Parley talks', () => {
  test('is what is set', () => {
    const { talk } = parseConfig({
      VOICE: 'af_sky',
      VOICES: ' bm_fable, af_sky,,af_sky ',
      ANSWERS: 'Off',
      BOT_NAMES: 'Parley, Parli',
      SPECULATION: 'off',
      TURN_SILENCE_MS: '700',
    });
    expect(talk).toEqual({
      voice: 'af_sky',
      voices: ['bm_fable', 'af_sky'],
      answers: 'off',
      names: ['Parley', 'Parli'],
      speculates: false,
      turnSilenceMs: 700,
    });
  });

  test('without a voice is the first of those there are, where the usual one is not among them', () => {
    expect(parseConfig({ VOICES: 'bm_fable,af_sky' }).talk.voice).toBe('bm_fable');
    expect(parseConfig({ VOICES: 'echo,alloy' }).talk.voice).toBe('alloy');
  });

  test.for([
    [{ VOICE: 'nova' }, 'VOICE is not one of alloy, '],
    [{ VOICES: ' , ' }, 'VOICES is not a list'],
    [{ VOICES: Array.from({ length: 26 }, (_, index) => `voice${index}`).join(',') }, 'VOICES is not a list'],
    [{ VOICES: 'x'.repeat(65) }, 'VOICES is not a list'],
    [{ BOT_NAMES: 'Parley, ✨' }, 'BOT_NAMES is not a list'],
    [{ SPECULATION: 'maybe' }, 'SPECULATION is not on or off'],
    [{ TURN_SILENCE_MS: '100' }, 'TURN_SILENCE_MS is not a whole number from 200 to 5000'],
    [{ TURN_SILENCE_MS: 'short' }, 'TURN_SILENCE_MS is not a whole number'],
    [{ ANSWERS: 'sometimes' }, 'ANSWERS is not one of always, name, button, off'],
  ] as const)('%o is refused with what to set', ([env, problem]) => {
    expect(problemsOf(env)).toEqual([expect.stringContaining(problem)]);
  });
});
