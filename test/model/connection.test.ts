import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { chunk, sendEvent, startEvents, startHttpPeer, type HttpPeer } from './support/http-peer.ts';
import { asking, calm, collect, failureOf, makeModel } from './support/model-peer.ts';

const TEXT = { output: 'text', voice: 'alloy' } as const;

/** A server whose HTTP response ends a moment after `[DONE]`, as happens on a network. */
function startSlowEnder(): Promise<HttpPeer> {
  return startHttpPeer(async ({ method }, response) => {
    if (method === 'OPTIONS') {
      response.writeHead(405).end();
      return;
    }
    startEvents(response);
    sendEvent(response, chunk({ content: 'Hi.' }, 'stop'));
    response.write('data: [DONE]\n\n');
    await setTimeout(5);
    response.end();
  });
}

function modelAt(url: string) {
  return makeModel({
    kind: 'compatible',
    baseUrl: `${url}/v1`,
    apiKey: 'secret',
    model: 'm',
    transcribeModel: undefined,
  });
}

test('turns in a row share one connection', async () => {
  await using server = await startSlowEnder();
  const { model } = modelAt(server.url);
  for (let turn = 0; turn < 3; turn += 1) {
    await collect(model.respond(asking('Hello.'), TEXT, calm));
    // The tail of the response is on its way.
    await setTimeout(50);
  }
  expect(server.connections).toBe(1);
});

test('a connection opened early is the one that is used; credentials are not sent with it', async () => {
  await using server = await startSlowEnder();
  const { model } = modelAt(server.url);
  await Promise.all([model.warm(calm), model.warm(calm)]);
  expect(server.requests).toMatchObject([{ method: 'OPTIONS', body: '' }]);
  expect(JSON.stringify(server.requests[0])).not.toContain('secret');
  await collect(model.respond(asking('Hello.'), TEXT, calm));
  expect(server.connections).toBe(1);
  expect(server.requests).toHaveLength(2);
});

test('opening early never fails: whatever is wrong shows in the turn itself', async () => {
  // A port that nobody listens on any more.
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  server.close();
  await once(server, 'close');

  const { model } = modelAt(`http://127.0.0.1:${port}`);
  await model.warm(calm);
  await model.warm(AbortSignal.abort());
  const error = await failureOf(model.respond(asking('Hello.'), TEXT, calm));
  expect(error).toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
});
