import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity';
import type { TokenCredential } from '@azure/identity';
import { AzureOpenAI, OpenAI } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

import { Synthesizer } from '../../../src/sandbox/speech.ts';
import { API_VERSION, hear, MODEL, spoken, startModelWorld } from './model-world.ts';
import type { ModelWorld } from './model-world.ts';

const synthesizer = new Synthesizer();
let world: ModelWorld;

beforeAll(async () => {
  world = await startModelWorld(synthesizer);
  await world.server.methods.setModel({ firstAudioMs: 0, speed: 100 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await synthesizer[Symbol.asyncDispose]();
});
afterEach(() => vi.unstubAllEnvs());

const SCOPE = 'https://cognitiveservices.azure.com/.default';
const question = spoken([{ role: 'user', content: 'Hello.' }]);
const NOT_AUTHORISED = {
  statusCode: 401,
  message:
    'Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.',
};

async function post(path: string, headers: Record<string, string>, body: unknown = question) {
  const response = await fetch(`${world.server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: response.status === 200 ? undefined : JSON.parse(text) };
}

const DATED = `/openai/deployments/${MODEL}/chat/completions?api-version=${API_VERSION}`;
const AZURE_V1 = '/openai/v1/chat/completions';
const OPENAI = '/v1/chat/completions';

describe('keys', () => {
  test('open Azure as a header, the v1 paths as a bearer', async () => {
    const { apiKey } = world.server;
    expect(await post(DATED, { 'api-key': apiKey })).toMatchObject({ status: 200 });
    expect(await post(AZURE_V1, { 'api-key': apiKey })).toMatchObject({ status: 200 });
    expect(await post(AZURE_V1, { authorization: `Bearer ${apiKey}` })).toMatchObject({ status: 200 });
    expect(await post(OPENAI, { authorization: `Bearer ${apiKey}` })).toMatchObject({ status: 200 });
    const records = await world.server.methods.modelRequests({});
    expect(records.map(({ auth }) => auth)).toEqual(['key', 'key', 'key', 'key']);
  });

  test('that are wrong or missing are refused as each service does', async () => {
    expect(await post(DATED, { 'api-key': 'wrong' })).toMatchObject({
      status: 401,
      body: { error: { code: '401', message: expect.stringContaining('invalid subscription key') } },
    });
    expect(await post(DATED, {})).toEqual({ status: 401, body: NOT_AUTHORISED });
    expect((await world.lastRequest()).auth).toBe('none');
    expect(await post(OPENAI, { authorization: 'Bearer sk-wrong-and-long' })).toMatchObject({
      status: 401,
      body: { error: { code: 'invalid_api_key', message: expect.stringContaining('sk-w***long') } },
    });
    expect(await post(OPENAI, { 'api-key': world.server.apiKey })).toMatchObject({
      status: 401,
      body: { error: { message: expect.stringContaining("You didn't provide an API key") } },
    });
  });
});

describe('addresses', () => {
  test('a dated path needs its api-version', async () => {
    const headers = { 'api-key': world.server.apiKey };
    const notFound = { status: 404, body: { error: { code: '404', message: 'Resource not found' } } };
    expect(await post(`/openai/deployments/${MODEL}/chat/completions`, headers)).toEqual(notFound);
    expect(await post(`/openai/deployments/${MODEL}/chat/completions?api-version=new`, headers)).toEqual(notFound);
    expect(await post('/openai/deployments/x/embeddings', headers)).toEqual(notFound);
    expect((await fetch(world.server.url, { method: 'OPTIONS' })).status).toBe(404);
  });

  test('a deployment that does not exist', async () => {
    const message =
      'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.';
    const notFound = { status: 404, body: { error: { code: 'DeploymentNotFound', message } } };
    const headers = { 'api-key': world.server.apiKey };
    expect(await post(DATED.replace(MODEL, 'gpt-9'), headers)).toEqual(notFound);
    expect(await post(AZURE_V1, headers, { ...question, model: 'gpt-9' })).toEqual(notFound);
    expect(
      await post(OPENAI, { authorization: `Bearer ${world.server.apiKey}` }, { ...question, model: 'gpt-9' }),
    ).toMatchObject({
      status: 404,
      body: { error: { code: 'model_not_found' } },
    });
  });

  test('a deployment of another kind', async () => {
    const answer = await post(DATED.replace(MODEL, 'whisper'), { 'api-key': world.server.apiKey });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'OperationNotSupported' } } });
  });
});

const appService = (): void => {
  vi.stubEnv('IDENTITY_ENDPOINT', `${world.server.url}/msi/token`);
  vi.stubEnv('IDENTITY_HEADER', world.server.identityHeader);
};
const virtualMachine = (): void => {
  vi.stubEnv('AZURE_POD_IDENTITY_AUTHORITY_HOST', world.server.url);
};
const provider =
  (credential: TokenCredential, scope = SCOPE) =>
  async () =>
    (await credential.getToken(scope))?.token ?? '';

const ask = async (path: string, headers: Record<string, string>) =>
  (await fetch(`${world.server.url}${path}`, { headers })).status;

describe('managed identity', () => {
  test.each([
    ['of an App Service', appService, () => new ManagedIdentityCredential()],
    ['of a virtual machine', virtualMachine, () => new ManagedIdentityCredential()],
    ['as the default credential finds it', appService, () => new DefaultAzureCredential()],
  ])('%s opens both of Azure’s paths', async (_, environment, credential) => {
    environment();
    const azureADTokenProvider = provider(credential());
    const dated = new AzureOpenAI({
      endpoint: world.server.url,
      apiVersion: API_VERSION,
      azureADTokenProvider,
      maxRetries: 0,
    });
    expect((await hear(dated, question)).transcript).toBe('You wrote: Hello.');
    expect((await world.lastRequest()).auth).toBe('bearer');
    const v1 = new OpenAI({ baseURL: `${world.server.url}/openai/v1`, apiKey: azureADTokenProvider, maxRetries: 0 });
    expect((await hear(v1, question)).transcript).toBe('You wrote: Hello.');
    const records = await world.server.methods.modelRequests({});
    expect(records.some(({ endpoint, status }) => endpoint === 'token' && status === 200)).toBe(true);
  });

  test('a token for something else is refused', async () => {
    appService();
    const token = await provider(new ManagedIdentityCredential(), 'https://graph.microsoft.com/.default')();
    expect(await post(DATED, { authorization: `Bearer ${token}` })).toEqual({ status: 401, body: NOT_AUTHORISED });
  });

  test('a token for the newer audience is taken', async () => {
    appService();
    const token = await provider(new ManagedIdentityCredential(), 'https://ai.azure.com/.default')();
    expect(await post(AZURE_V1, { authorization: `Bearer ${token}` })).toMatchObject({ status: 200 });
  });

  test('a token that has expired, was never issued, or comes to another service is refused', async () => {
    await using brief = await startModelWorld(synthesizer, { tokenLifeMs: 0 });
    const { url, identityHeader } = brief.server;
    const query = 'resource=https://cognitiveservices.azure.com&api-version=2019-08-01';
    const response = await fetch(`${url}/msi/token?${query}`, { headers: { 'x-identity-header': identityHeader } });
    const { access_token: expired } = Object(await response.json());
    const answer = await fetch(`${url}${DATED}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${String(expired)}` },
      body: JSON.stringify(question),
    });
    expect(await answer.json()).toEqual(NOT_AUTHORISED);
    expect(await post(DATED, { authorization: 'Bearer a.b.c' })).toEqual({ status: 401, body: NOT_AUTHORISED });
    appService();
    const valid = await provider(new ManagedIdentityCredential())();
    expect(await post(OPENAI, { authorization: `Bearer ${valid}` })).toMatchObject({ status: 401 });
  });

  test('whoever does not know the secret, or asks wrongly, gets none', async () => {
    const query = '?resource=https://cognitiveservices.azure.com&api-version=2018-02-01';
    expect(await ask(`/msi/token${query}`, { 'x-identity-header': 'guess' })).toBe(401);
    expect(await ask(`/metadata/identity/oauth2/token${query}`, {})).toBe(400);
    expect(await ask('/metadata/identity/oauth2/token?api-version=2018-02-01', { metadata: 'true' })).toBe(400);
    expect(await ask(`/metadata/identity/oauth2/token${query}`, { metadata: 'true' })).toBe(200);
  });

  test('fails on request', async () => {
    appService();
    const { methods } = world.server;
    await methods.modelFault({ fault: { kind: 'status', status: 400 }, times: 1, endpoint: 'token' });
    // The library keeps tokens for the whole process: only an audience that was not asked for before asks the server.
    await expect(new ManagedIdentityCredential().getToken('https://vault.azure.net/.default')).rejects.toMatchObject({
      name: expect.stringMatching(/AuthenticationError|CredentialUnavailableError/),
    });
    await methods.modelFault({ fault: { kind: 'stall', afterChunks: 'headers' }, times: 1, endpoint: 'token' });
    const stop = new AbortController();
    const stalled = fetch(`${world.server.url}/msi/token?resource=x`, { signal: stop.signal });
    await world.seen('model-request', await nextRequestId());
    stop.abort();
    await expect(stalled).rejects.toMatchObject({ name: 'AbortError' });
    await expect(
      methods.modelFault({ fault: { kind: 'bad-base64' }, times: 1, endpoint: 'token' }),
    ).rejects.toMatchObject({ name: 'Refusal' });
  });
});

/** Requests are numbered: the id of the one that comes next. */
async function nextRequestId(): Promise<string> {
  const records = await world.server.methods.modelRequests({});
  return `request-${records.length + 1}`;
}
