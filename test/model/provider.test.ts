import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';

import type { ProviderOptions } from '../../src/model/provider.ts';
import { startHttpPeer, chunk, endEvents, sendEvent, startEvents } from './support/http-peer.ts';
import { asking, calm, collect, failureOf, makeModel, startModelPeer, type ModelPeer } from './support/model-peer.ts';

const VOICE = { output: 'voice', voice: 'alloy' } as const;
const TEXT = { output: 'text', voice: 'alloy' } as const;
const SCOPE = 'https://cognitiveservices.azure.com/.default';
const DATED = '2025-01-01-preview';

let peer: ModelPeer;

beforeAll(async () => {
  peer = await startModelPeer();
});

afterAll(() => peer[Symbol.asyncDispose]());

beforeEach(async () => {
  await peer.takeRequests();
  vi.stubEnv('IDENTITY_ENDPOINT', `${peer.service.url}/msi/token`);
  vi.stubEnv('IDENTITY_HEADER', peer.service.identityHeader);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

async function answerOf(options: ProviderOptions): Promise<string> {
  const { model } = makeModel(options);
  return (await collect(model.respond(asking('Hello.'), VOICE, calm))).transcript;
}

/** The credential keeps tokens for the whole process, by scope: tests that count them have a scope of their own. */
const entra = { kind: 'entra', scope: SCOPE } as const;
const dated = `/openai/deployments/gpt-audio-1.5/chat/completions?api-version=${DATED}`;
const v1 = '/openai/v1/chat/completions';

describe('ways in', () => {
  test.each<['key' | 'entra', string | undefined, string, 'key' | 'bearer']>([
    ['key', DATED, dated, 'key'],
    ['key', undefined, v1, 'key'],
    ['entra', DATED, dated, 'bearer'],
    ['entra', undefined, v1, 'bearer'],
  ])('Azure with %s, version %s', async (kind, apiVersion, path, sent) => {
    const auth = kind === 'entra' ? entra : { kind, key: peer.service.apiKey };
    // The scheme of documentation examples, with a slash, and what people copy from the portal.
    for (const endpoint of [`${peer.service.url}/`, `${peer.service.url}/openai/v1/`]) {
      expect(await answerOf(peer.azure({ endpoint, apiVersion, auth }))).toContain('Hello');
      const requests = await peer.takeRequests();
      const chat = requests.filter(({ endpoint }) => endpoint === 'chat');
      expect(chat).toMatchObject([{ path, auth: sent, body: { model: 'gpt-audio-1.5' } }]);
    }
  });

  test('one token of the managed identity serves many requests', async () => {
    const { model } = makeModel(peer.azure({ auth: { ...entra, scope: 'https://ai.azure.com/.default' } }));
    await collect(model.respond(asking('One.'), VOICE, calm));
    await Promise.all([
      collect(model.respond(asking('Two.'), VOICE, calm)),
      collect(model.respond(asking('Three.'), VOICE, calm)),
    ]);
    const endpoints = (await peer.takeRequests()).map(({ endpoint }) => endpoint);
    expect(endpoints.toSorted()).toEqual(['chat', 'chat', 'chat', 'token']);
  });

  test('a compatible server with a key', async () => {
    const baseUrl = `${peer.service.url}/v1`;
    const apiKey = peer.service.apiKey;
    const options = { kind: 'compatible', baseUrl, apiKey, model: 'gpt-audio', transcribeModel: undefined } as const;
    expect(await answerOf(options)).toContain('Hello');
    expect(await peer.takeRequests()).toMatchObject([{ path: '/v1/chat/completions', auth: 'key' }]);
  });

  test('a compatible server without a key gets none', async () => {
    await using server = await startHttpPeer((_, response) => {
      startEvents(response);
      sendEvent(response, chunk({ content: 'Hi.' }, 'stop'));
      endEvents(response);
    });
    const baseUrl = `${server.url}/v1/`;
    const options = { kind: 'compatible', baseUrl, apiKey: undefined, model: 'm', transcribeModel: undefined } as const;
    const reply = await collect(makeModel(options).model.respond(asking('Hello.'), TEXT, calm));
    expect(reply.text).toBe('Hi.');
    expect(server.requests).toMatchObject([{ path: '/v1/chat/completions' }]);
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(server.requests[0]?.headers).not.toHaveProperty('api-key');
  });
});

describe('the environment', () => {
  test('changes nothing of what was configured', async () => {
    await using stranger = await startHttpPeer((_, response) => void response.writeHead(500).end());
    await using server = await startHttpPeer((_, response) => {
      startEvents(response);
      sendEvent(response, chunk({ content: 'Hi.' }, 'stop'));
      endEvents(response);
    });
    const hostile = {
      OPENAI_BASE_URL: stranger.url,
      AZURE_OPENAI_ENDPOINT: stranger.url,
      OPENAI_API_KEY: 'stray-key',
      AZURE_OPENAI_API_KEY: 'stray-key',
      OPENAI_ADMIN_KEY: 'stray-key',
      OPENAI_API_VERSION: 'stray-version',
      OPENAI_ORG_ID: 'stray-org',
      OPENAI_PROJECT_ID: 'stray-project',
      OPENAI_WEBHOOK_SECRET: 'stray-secret',
      OPENAI_CUSTOM_HEADERS: 'x-stray: stray\nauthorization: stray',
      OPENAI_LOG: 'debug',
    };
    for (const [name, value] of Object.entries(hostile)) vi.stubEnv(name, value);

    const model = 'm';
    const azure = { kind: 'azure', endpoint: server.url, deployment: model, transcribeModel: undefined } as const;
    const key = { kind: 'key', key: 'right-key' } as const;
    const providers: ProviderOptions[] = [
      { ...azure, apiVersion: DATED, auth: key },
      { ...azure, apiVersion: undefined, auth: key },
      { ...azure, apiVersion: DATED, auth: entra },
      { ...azure, apiVersion: undefined, auth: entra },
      { kind: 'compatible', baseUrl: `${server.url}/v1`, apiKey: 'right-key', model, transcribeModel: undefined },
      { kind: 'compatible', baseUrl: `${server.url}/v1`, apiKey: undefined, model, transcribeModel: undefined },
    ];
    for (const options of providers) {
      expect((await collect(makeModel(options).model.respond(asking('Hello.'), TEXT, calm))).text).toBe('Hi.');
    }
    expect(server.requests).toHaveLength(providers.length);
    expect(JSON.stringify(server.requests)).not.toContain('stray');
    expect(stranger.requests).toEqual([]);
  });
});

describe('a sign-in that fails', () => {
  test('says what to do, asks no model, and is no secret in the log', async () => {
    vi.stubEnv('AZURE_TOKEN_CREDENTIALS', 'ManagedIdentityCredential');
    const fault = { kind: 'status', status: 400 } as const;
    await peer.service.methods.modelFault({ fault, times: 1, endpoint: 'token' });
    const scope = 'https://cognitiveservices.azure.us/.default';
    const { model, log } = makeModel(peer.azure({ auth: { kind: 'entra', scope } }));
    const error = await failureOf(model.respond(asking('Hello.'), VOICE, calm));
    expect(error).toMatchObject({ kind: 'sign-in', operatorHint: expect.stringContaining('az login') });
    const endpoints = (await peer.takeRequests()).map(({ endpoint }) => endpoint);
    expect(endpoints).not.toContain('chat');
    expect(log.at('warn')).toHaveLength(1);
    expect(JSON.stringify(log.lines)).not.toContain(peer.service.identityHeader);
  });

  test('a token that the service refuses says so', async () => {
    const { model } = makeModel(peer.azure({ auth: entra }));
    await peer.service.methods.modelFault({ fault: { kind: 'status', status: 401 }, times: 1 });
    const error = await failureOf(model.respond(asking('Hello.'), VOICE, calm));
    expect(error).toMatchObject({ kind: 'sign-in', operatorHint: expect.stringContaining('AZURE_OPENAI_SCOPE') });
  });

  test('a role that is missing is told apart', async () => {
    const { model } = makeModel(peer.azure({ auth: entra }));
    await peer.service.methods.modelFault({ fault: { kind: 'status', status: 403 }, times: 1 });
    const error = await failureOf(model.respond(asking('Hello.'), VOICE, calm));
    expect(error).toMatchObject({ kind: 'not-permitted', operatorHint: expect.stringContaining('OpenAI User') });
  });
});
