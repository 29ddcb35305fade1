import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { UserError } from '../../src/language/user-error.ts';
import { ChatCompletionsModel } from '../../src/model/chat-completions.ts';
import { createProvider } from '../../src/model/provider.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { chunk, endEvents, sendEvent, startEvents, startHttpPeer } from './support/http-peer.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { asking, calm, collect, failureOf, makeModel } from './support/model-peer.ts';

const VOICE = { output: 'voice', voice: 'alloy' } as const;
const SECOND = Buffer.alloc(48_000, 1).toString('base64');

function provider(url: string) {
  return { kind: 'compatible', baseUrl: `${url}/v1`, apiKey: 'k', model: 'm', transcribeModel: undefined } as const;
}

/** A reply from a server that ends it in its own way. */
async function replyFrom(write: (response: ServerResponse) => void, clock?: ManualClock) {
  const server = await startHttpPeer((_, response) => {
    startEvents(response);
    write(response);
  });
  const { model } = makeModel(provider(server.url), clock === undefined ? {} : { clock });
  return { server, events: model.respond(asking('Hello.'), VOICE, calm) };
}

async function failureFor(body: string, type: string) {
  await using server = await startHttpPeer((_, response) => {
    response.writeHead(200, { 'content-type': type }).end(body);
  });
  const { model } = makeModel(provider(server.url));
  return await failureOf(model.respond(asking('Hello.'), VOICE, calm));
}

describe('a reply of ten minutes that is there at once', () => {
  test('waits for its listener: bounded memory, and no time runs while the listener is busy', async () => {
    let seconds = 0;
    let blocked = false;
    await using server = await startHttpPeer(async (_, response) => {
      startEvents(response);
      for (; seconds < 600; seconds += 1) {
        if (sendEvent(response, chunk({ audio: { data: SECOND } }))) continue;
        blocked = true;
        await once(response, 'drain');
        blocked = false;
      }
      sendEvent(response, chunk({}, 'stop'));
      endEvents(response);
    });
    const clock = new ManualClock();
    const { model } = makeModel(provider(server.url), { clock });
    const events = model.respond(asking('Read me the book.'), VOICE, calm);
    expect((await events.next()).value).toMatchObject({ type: 'audio' });

    // What the kernel takes, it takes; after that the server has to wait, however long this listener does.
    for (let quiet = 0, last = 0; quiet < 200; last = seconds) {
      await setImmediate();
      quiet = blocked && seconds === last ? quiet + 1 : 0;
    }
    expect(seconds).toBeLessThan(200);
    expect(clock.pending).toEqual([]);
    clock.advance(3_600_000);

    let frames = 1;
    for await (const event of events) if (event.type === 'audio') frames += 1;
    expect(frames).toBe(30_000);
    expect(seconds).toBe(600);
  });
});

describe('the end of a reply', () => {
  const words = { audio: { id: 'a1', transcript: 'Hi.', data: SECOND, expires_at: 2_000_000_000 } };

  test('is an audio update with nothing but its expiry date, where no finish reason comes', async () => {
    const { server, events } = await replyFrom((response) => {
      // Also with the first piece: there it ends nothing.
      sendEvent(response, chunk({ audio: { id: 'a1', transcript: '', expires_at: 1_999_999_999 } }));
      sendEvent(response, chunk(words));
      sendEvent(response, chunk({ audio: { expires_at: 2_000_000_000 } }));
      response.end();
    });
    await using _ = server;
    const reply = await collect(events);
    expect(reply.done).toEqual({
      type: 'done',
      finish: 'stop',
      audio: { id: 'a1', expiresAtMs: 2_000_000_000_000 },
      usage: undefined,
    });
  });

  test('is not an expiry date beside a piece of sound', async () => {
    const { server, events } = await replyFrom((response) => {
      sendEvent(response, chunk(words));
      endEvents(response);
    });
    await using _ = server;
    expect(await failureOf(events)).toMatchObject({ kind: 'truncated' });
  });

  test('is the finish reason even when the stream stays open after it', async () => {
    const clock = new ManualClock();
    const { server, events } = await replyFrom((response) => {
      sendEvent(response, chunk(words, 'stop'));
    }, clock);
    await using _ = server;
    const reply = collect(events);
    while (clock.pending[0] !== 1_000) await setImmediate();
    clock.advance(1_000);
    expect((await reply).done.finish).toBe('stop');
  });

  test('is the finish reason even when the connection breaks after it', async () => {
    const { server, events } = await replyFrom((response) => {
      sendEvent(response, chunk(words, 'length'));
      response.write('data: {"id', () => response.socket?.destroy());
    });
    await using _ = server;
    expect((await collect(events)).done.finish).toBe('length');
  });

  test('inside a sample is a damaged reply', async () => {
    const { server, events } = await replyFrom((response) => {
      sendEvent(response, chunk({ audio: { data: Buffer.alloc(961).toString('base64') } }, 'stop'));
      endEvents(response);
    });
    await using _ = server;
    expect(await failureOf(events)).toMatchObject({ kind: 'malformed' });
  });

  test.each([
    ['nothing at all', chunk({}, 'stop')],
    ['no reply', 'ready'],
    ['choices of another kind', { choices: 'none' }],
  ])('with %s is a damaged reply', async (_, event) => {
    const { server, events } = await replyFrom((response) => {
      sendEvent(response, event);
      endEvents(response);
    });
    await using __ = server;
    expect(await failureOf(events)).toMatchObject({ kind: 'malformed' });
  });
});

describe('an answer that is no stream', () => {
  test.each([
    ['malformed', '"ready"', 'application/json'],
    ['malformed', '{"choices":[{"message":{"content":"Hi."}}]}', 'application/json'],
    ['malformed', '', 'text/plain'],
    [
      'filter-down',
      '{"error":{"code":"content_filter_error","message":"The contents are not filtered"}}',
      'application/json',
    ],
    ['server-fault', '{"error":{"code":"overloaded"}}', 'application/json'],
  ])('is %s: %s', async (kind, body, type) => {
    expect(await failureFor(body, type)).toMatchObject({ kind });
  });
});

test.for([400, 422])(
  'what a server quotes of a request when it answers %i does not get into the log',
  async (status) => {
    await using server = await startHttpPeer((request, response) => {
      const error = {
        message: `cannot use this: ${request.body}`,
        type: 'invalid_request_error',
        param: null,
        code: null,
      };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
    });
    const lines: string[] = [];
    const log = createLogger({ level: 'debug', secrets: [], destination: { write: (line) => lines.push(line) } });
    const clock = new ManualClock();
    const model = new ChatCompletionsModel({
      provider: createProvider(provider(server.url), { clock, log }),
      clock,
      log,
    });
    const failure = await failureOf(model.respond(asking('Meet me in Zanzibar.'), VOICE, calm));
    log.warn({ err: failure }, 'no answer');
    log.warn({ err: new UserError({ type: 'model', trouble: 'refused' }, { cause: failure }) }, 'a person was told');
    expect(server.requests[0]?.body).toContain('Zanzibar');
    expect(lines.join('')).toContain(`"status":${status}`);
    expect(lines.join('')).not.toContain('Zanzibar');
  },
);
