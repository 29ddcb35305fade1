import { once } from 'node:events';
import { createServer } from 'node:net';

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { checkModel, checkTranscription } from '../../src/model/check.ts';
import type { ModelError } from '../../src/model/errors.ts';
import { createProvider, type ProviderOptions } from '../../src/model/provider.ts';
import type { ModelFault } from '../../src/sandbox/control/protocol.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { calm, startModelPeer, type ModelPeer } from './support/model-peer.ts';
import { RecordedLog } from './support/recorded-log.ts';

let peer: ModelPeer;

beforeAll(async () => {
  peer = await startModelPeer();
});

afterAll(() => peer[Symbol.asyncDispose]());

beforeEach(async () => {
  // Slow enough that nobody has to wait for the end of an answer by accident.
  await peer.service.methods.setModel({ speed: 0.02 });
  await peer.takeRequests();
});

async function check(options: ProviderOptions, signal = calm) {
  const parts = { clock: monotonicClock, log: new RecordedLog() };
  return await checkModel({ ...parts, provider: createProvider(options, parts) }, signal);
}

test('a model that works costs a few tokens, and is not listened to', async () => {
  expect(await check(peer.azure())).toBeUndefined();
  const [request, ...more] = await peer.takeRequests();
  expect(more).toEqual([]);
  expect(request).toMatchObject({ status: 200, abandoned: true, body: { max_completion_tokens: 16 } });
  expect(request?.bodyBytes).toBeLessThan(400);
});

test('a model that is busy has let us in', async () => {
  await peer.service.methods.modelFault({ fault: { kind: 'status', status: 429, retryAfterSecs: 60 }, times: 1 });
  expect(await check(peer.azure())).toBeUndefined();
});

test.each<[string, string, () => ProviderOptions]>([
  ['wrong-key', 'AZURE_OPENAI_API_KEY', () => peer.azure({ auth: { kind: 'key', key: 'mistyped' } })],
  ['no-deployment', '"nobody" (AZURE_OPENAI_DEPLOYMENT_NAME)', () => peer.azure({ deployment: 'nobody' })],
  ['no-deployment', '"whisper"', () => peer.azure({ deployment: 'whisper' })],
  ['no-deployment', 'OPENAI_API_VERSION', () => peer.azure({ apiVersion: 'latest' })],
  [
    'no-deployment',
    'OPENAI_BASE_URL',
    () => ({
      kind: 'compatible',
      baseUrl: `${peer.service.url}/v2`,
      apiKey: 'k',
      model: 'gpt-audio',
      transcribeModel: undefined,
    }),
  ],
])('what is misconfigured is named: %s, %s', async (kind, named, options) => {
  const error = await check(options());
  expect(error).toMatchObject({ kind, operatorHint: expect.stringContaining(named) });
  expect(error?.operatorHint).not.toContain('mistyped');
});

test.each<[string, string, ModelFault]>([
  ['not-permitted', 'network rules', { kind: 'status', status: 403 }],
  ['retired', 'gpt-audio-1.5', { kind: 'status', status: 410 }],
  ['malformed', 'AZURE_OPENAI_ENDPOINT', { kind: 'html' }],
])('what the service says is passed on: %s', async (kind, named, fault) => {
  await peer.service.methods.modelFault({ fault, times: 1 });
  const error = await check(peer.azure());
  expect(error).toMatchObject({ kind, operatorHint: expect.stringContaining(named) });
});

test('an address where nobody is', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  server.close();
  await once(server, 'close');
  const error = await check(peer.azure({ endpoint: `http://127.0.0.1:${port}` }));
  expect(error).toMatchObject({ kind: 'unreachable', operatorHint: expect.stringContaining(`127.0.0.1:${port}`) });
});

test('an abort is no finding', async () => {
  await expect(check(peer.azure(), AbortSignal.abort('shutting down'))).rejects.toBe('shutting down');
});

describe('the endpoint that writes speech down', () => {
  function checkIt(transcribeModel: string | undefined): Promise<ModelError | undefined> {
    const parts = { clock: monotonicClock, log: new RecordedLog() };
    return checkTranscription({ ...parts, provider: createProvider(peer.azure({ transcribeModel }), parts) }, calm);
  }

  test('is tried once where it is set, and not where it is not', async () => {
    await peer.takeRequests();
    expect(await checkIt('gpt-4o-transcribe')).toBeUndefined();
    expect((await peer.takeRequests()).map(({ endpoint }) => endpoint)).toEqual(['transcription']);
    expect(await checkIt(undefined)).toBeUndefined();
    expect(await peer.takeRequests()).toEqual([]);
  });

  test('that is not there is named', async () => {
    const hint = expect.stringContaining('"nobody" (TRANSCRIBE_MODEL)');
    expect(await checkIt('nobody')).toMatchObject({ kind: 'no-deployment', operatorHint: hint });
  });
});
