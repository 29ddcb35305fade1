import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';

import { describe, expect, it } from 'vitest';

import { isPublicAddress } from '../../src/files/address.ts';
import { AttachmentError } from '../../src/files/attachment-error.ts';
import { checkedLookup, fetchAttachment, type Resolver } from '../../src/files/fetch.ts';
import type { Clock } from '../../src/time/clock.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { serve } from './file-server.ts';

const MAX_BYTES = 100_000;

interface Request {
  path?: string;
  clock?: Clock;
  signal?: AbortSignal;
}

/** What comes of fetching from a server that answers like this: the bytes, or the kind of the error. */
async function fetchFrom(listener: RequestListener, request: Request = {}): Promise<Uint8Array | string> {
  await using server = await serve(listener);
  const { path = '/file', clock = monotonicClock, signal = new AbortController().signal } = request;
  const hosts = [{ protocol: 'http:', host: server.host }];
  return await kindOr(fetchAttachment(`${server.url}${path}`, { hosts, maxBytes: MAX_BYTES, signal, clock }));
}

async function kindOr<T>(work: Promise<T>): Promise<T | string> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AttachmentError) return error.kind;
    throw error;
  }
}

/** Resolves when an HTTP client of this process has received a response's head. */
function responseArrived(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const channel = 'http.client.response.finish';
  const onResponse = (): void => {
    unsubscribe(channel, onResponse);
    // The library's own listeners run first.
    setImmediate(resolve);
  };
  subscribe(channel, onResponse);
  return promise;
}

describe('fetchAttachment', () => {
  it('brings a file, whatever the server says it is', async () => {
    const file = Buffer.from('the file');
    const bytes = await fetchFrom(
      (request, response) => {
        response.setHeader('content-type', 'application/x-nonsense');
        response.end(request.url === '/file?ex=1&hm=2' ? file : '');
      },
      { path: '/file?ex=1&hm=2' },
    );
    expect(bytes).toEqual(file);
  });

  it.each([
    [301, 'not-allowed'],
    [302, 'not-allowed'],
    [307, 'not-allowed'],
    [403, 'gone'],
    [404, 'gone'],
    [410, 'gone'],
    [204, 'unreachable'],
    [429, 'unreachable'],
    [503, 'unreachable'],
  ])('answers status %i with %s', async (status, kind) => {
    let requests = 0;
    const listener: RequestListener = (_, response) => {
      requests++;
      response.writeHead(status, { location: '/elsewhere' }).end('a page');
    };
    expect(await fetchFrom(listener)).toBe(kind);
    expect(requests).toBe(1);
  });

  it('refuses a file without a byte', async () => {
    expect(await fetchFrom((_, response) => response.end())).toBe('empty');
  });

  it('takes a file of exactly the limit and none that is a byte longer', async () => {
    expect(await fetchFrom(inTwoChunks(MAX_BYTES))).toHaveLength(MAX_BYTES);
    expect(await fetchFrom(inTwoChunks(MAX_BYTES + 1))).toBe('too-large');
  });

  it('hangs up on a file that never ends', async () => {
    let hungUp: Promise<unknown> | undefined;
    const kind = await fetchFrom((_, response) => {
      hungUp = once(response, 'close');
      pour(response);
    });
    expect(kind).toBe('too-large');
    await hungUp;
  });

  it('does not wait for a file that announces its size', async () => {
    const kind = await fetchFrom((_, response) => {
      response.writeHead(200, { 'content-length': MAX_BYTES + 1 }).flushHeaders();
    });
    expect(kind).toBe('too-large');
  });

  it('tells a file that broke off from a whole one', async () => {
    const kind = await fetchFrom((_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write(Buffer.alloc(10), () => response.destroy());
    });
    expect(kind).toBe('unreachable');
  });

  it('gives up on a file that trickles', async () => {
    const clock = new ManualClock();
    const arrived = responseArrived();
    const fetched = fetchFrom((_, response) => response.write(Buffer.alloc(1000)), { clock });
    await arrived;
    clock.advance(5000);
    expect(await fetched).toBe('too-slow');
  });

  it('gives up on a file that is not there after 15 s, however steadily it comes', async () => {
    const clock = new ManualClock();
    const bodies: ServerResponse[] = [];
    const arrived = responseArrived();
    await using server = await serve((_, response) => bodies.push(response.writeHead(200)) && response.flushHeaders());
    const fetched = kindOr(
      fetchAttachment(server.url, {
        hosts: [{ protocol: 'http:', host: server.host }],
        maxBytes: 1e9,
        signal: new AbortController().signal,
        clock,
      }),
    );
    await arrived;
    // 32 kB/s for 15 s, and far more than the buffers in between can hold back.
    await write(bodies[0], 16_000_000);
    for (let second = 0; second < 14; second++) clock.advance(1000);
    expect(clock.pending).toEqual([1000]);
    clock.advance(1000);
    expect(await fetched).toBe('too-slow');
  });

  it('gives up on a server that does not answer', async () => {
    const clock = new ManualClock();
    const asked = Promise.withResolvers<void>();
    const fetched = fetchFrom(() => asked.resolve(), { clock });
    await asked.promise;
    for (let second = 0; second < 15; second++) clock.advance(1000);
    expect(await fetched).toBe('unreachable');
  });

  it('says that nobody listens', async () => {
    const server = await serve(() => undefined);
    await server[Symbol.asyncDispose]();
    const hosts = [{ protocol: 'http:', host: server.host }];
    const options = { hosts, maxBytes: 1, signal: new AbortController().signal, clock: monotonicClock };
    expect(await kindOr(fetchAttachment(server.url, options))).toBe('unreachable');
  });

  it('stops with the signal, and throws its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const listener: RequestListener = (_, response) => {
      response.write('a');
      controller.abort(reason);
    };
    await expect(fetchFrom(listener, { signal: controller.signal })).rejects.toBe(reason);
    await expect(fetchFrom(listener, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it.each([
    'https://cdn.discordapp.com.evil.example/a',
    'https://evil.example/cdn.discordapp.com',
    'https://cdn.discordapp.com@evil.example/a',
    'https://user:secret@cdn.discordapp.com/a',
    'https://cdn.discordapp.com:8443/a',
    'https://CDN.discordapp.com./a',
    'http://cdn.discordapp.com/a',
    'file:///etc/passwd',
    'data:text/plain,hello',
    'https://10.0.0.1/a',
    'http://169.254.169.254/latest/meta-data',
    'https://[::ffff:10.0.0.1]/a',
    'not a link',
    '',
  ])('does not go to %s', async (url) => {
    const hosts = [
      { protocol: 'https:', host: 'cdn.discordapp.com' },
      { protocol: 'https:', host: '10.0.0.1' },
      { protocol: 'http:', host: '169.254.169.254' },
      { protocol: 'https:', host: '[::ffff:a00:1]' },
    ];
    const options = { hosts, maxBytes: 1, signal: new AbortController().signal, clock: monotonicClock };
    expect(await kindOr(fetchAttachment(url, options))).toBe('not-allowed');
  });
});

describe('checkedLookup', () => {
  it('hands on public addresses only', async () => {
    const mixed = ['10.0.0.1', '162.159.130.233', '::1', '2606:4700::1'];
    expect(await look(mixed, true)).toEqual([
      { address: '162.159.130.233', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ]);
    expect(await look(mixed, false)).toBe('162.159.130.233');
  });

  it('refuses a name that leads into a private network', async () => {
    expect(await kindOr(look(['192.168.1.1', '::ffff:10.0.0.1', 'fe80::1'], true))).toBe('not-allowed');
  });
});

/** A file whose size is not announced. */
function inTwoChunks(bytes: number): RequestListener {
  return (_, response) => {
    response.write(Buffer.alloc(bytes - 1));
    response.end(Buffer.alloc(1));
  };
}

/** A resolver that answers with these addresses. */
function resolverOf(addresses: string[]): Resolver {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_, __, callback) => callback(null, found);
}

function look(addresses: string[], all: boolean): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  checkedLookup(isPublicAddress, resolverOf(addresses))('cdn.example', { all }, (error, address) =>
    error ? reject(error) : resolve(address),
  );
  return promise;
}

function pour(response: ServerResponse): void {
  if (response.destroyed) return;
  response.write(Buffer.alloc(16_384), () => pour(response));
}

/** Resolves when the kernel has taken the bytes. */
function write(response: ServerResponse | undefined, bytes: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  response?.write(Buffer.alloc(bytes), (error) => (error ? reject(error) : resolve()));
  return promise;
}
