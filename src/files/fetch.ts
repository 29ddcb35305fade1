import { open, rm } from 'node:fs/promises';
import { lookup as dnsLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';

import type { Clock } from '../time/clock.ts';
import { bareAddress, isLoopbackAddress, isLoopbackHostname, isPublicAddress } from './address.ts';
import { AttachmentError } from './attachment-error.ts';

/** A server that attachments may come from: `protocol` and `host` of a `URL`, compared exactly. */
export interface AttachmentHost {
  readonly protocol: string;
  /** With the port, when it is not the protocol's own. */
  readonly host: string;
}

export interface FetchOptions {
  readonly hosts: readonly AttachmentHost[];
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** A file must be here within this time. */
const TOTAL_MS = 15_000;
/** The same for files that are kept on the disk. */
const TOTAL_SAVE_MS = 60_000;
/** From this time on a file must have come at {@link MIN_BYTES_PER_SECOND}: nobody is to keep connections open for long. */
const RATE_FROM_MS = 5_000;
const RATE_EVERY_MS = 1_000;
const MIN_BYTES_PER_SECOND = 32_000;

/** 401 is not here: Discord's file servers never ask for it. 403 and 404 are what they answer when a link has expired. */
const GONE_STATUSES = new Set([403, 404, 410]);

/**
 * Fetches an attached file into memory. Only from the hosts listed, never through a redirect, and never from an address
 * that is not on the public internet (except when the listed host is this machine by name). What the server says about
 * size and type is not believed.
 * @throws {AttachmentError} `not-allowed`, `too-large`, `too-slow`, `gone`, `unreachable` or `empty`; the signal's reason
 * when it aborts.
 */
export async function fetchAttachment(url: string, options: FetchOptions): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await transfer(url, options, TOTAL_MS, (chunk) => void chunks.push(chunk));
  return Buffer.concat(chunks);
}

/** As {@link fetchAttachment}, into a file that is not there yet; a large one may take longer. */
export async function saveAttachment(url: string, path: string, options: FetchOptions): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  try {
    await transfer(url, options, TOTAL_SAVE_MS, (chunk) => file.writeFile(chunk));
  } catch (error) {
    // So that it may be tried again.
    await rm(path);
    throw error;
  }
}

async function transfer(
  url: string,
  options: FetchOptions,
  totalMs: number,
  take: (chunk: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const { signal, clock } = options;
  signal.throwIfAborted();
  const target = allowedUrl(url, options.hosts);
  const limits = new TransferLimits(clock, totalMs);
  using _ = limits;
  try {
    const response = await respond(target, AbortSignal.any([signal, limits.signal]));
    try {
      checkStatus(response.statusCode ?? 0);
      await readBody(response, options.maxBytes, limits, take);
    } finally {
      response.destroy();
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (limits.signal.aborted) throw limits.signal.reason;
    if (cause instanceof AttachmentError) throw cause;
    throw new AttachmentError('unreachable', 'the file server could not be reached', { cause });
  }
}

function allowedUrl(text: string, hosts: readonly AttachmentHost[]): URL {
  const url = URL.parse(text);
  if (!url) throw new AttachmentError('not-allowed', 'not a web address');
  if (url.username !== '' || url.password !== '') throw new AttachmentError('not-allowed', 'a link with a user name');
  if (!hosts.some(({ protocol, host }) => protocol === url.protocol && host === url.host)) {
    throw new AttachmentError('not-allowed', 'a host that attachments may not come from');
  }
  // Names are checked when they are looked up; an address is used without a look-up.
  const address = bareAddress(url.hostname);
  if (isIP(address) !== 0 && !isPublicAddress(address) && !isLoopbackAddress(address)) {
    throw new AttachmentError('not-allowed', 'an address that is not on the public internet');
  }
  return url;
}

function respond(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  request(url, {
    agent: false,
    signal,
    lookup: checkedLookup(isLoopbackHostname(url.hostname) ? isLoopbackAddress : isPublicAddress),
    headers: { 'accept-encoding': 'identity', 'user-agent': 'Parley' },
  })
    .on('response', resolve)
    .on('error', reject)
    .end();
  return promise;
}

/** `dns.lookup`, asked for every address of a name. */
export type Resolver = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Looks a name up and hands on only addresses that pass. The connection then uses exactly these: there is no second
 * look-up that could give another answer.
 */
export function checkedLookup(
  mayConnect: (address: string) => boolean,
  resolver: Resolver = dnsLookup,
): LookupFunction {
  return (hostname, options, callback) => {
    resolver(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      const passed: LookupAddress[] = addresses.filter(({ address }) => mayConnect(address));
      const [first] = passed;
      if (!first) return callback(new AttachmentError('not-allowed', 'a name that leads into a private network'), '');
      if (options.all) return callback(null, passed);
      return callback(null, first.address, first.family);
    });
  };
}

function checkStatus(status: number): void {
  if (status === 200) return;
  if (status >= 300 && status < 400) throw new AttachmentError('not-allowed', 'a link that leads elsewhere');
  if (GONE_STATUSES.has(status)) throw new AttachmentError('gone', `the file server answered ${status}`);
  throw new AttachmentError('unreachable', `the file server answered ${status}`);
}

async function readBody(
  response: IncomingMessage,
  maxBytes: number,
  limits: TransferLimits,
  take: (chunk: Uint8Array) => void | Promise<void>,
): Promise<void> {
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  limits.begin();
  for await (const chunk of response) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('a response that is text');
    limits.receivedBytes += chunk.length;
    if (limits.receivedBytes > maxBytes) throw tooLarge(maxBytes);
    await take(chunk);
  }
  if (limits.receivedBytes === 0) throw new AttachmentError('empty', 'no bytes in the file');
}

function tooLarge(maxBytes: number): AttachmentError {
  return new AttachmentError('too-large', `a file of more than ${maxBytes} bytes`);
}

/** Aborts its signal when a transfer takes too long or trickles. */
class TransferLimits implements Disposable {
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #startedAtMs: number;
  readonly #totalMs: number;
  #timer: Disposable;
  #responded = false;

  receivedBytes = 0;

  constructor(clock: Clock, totalMs: number) {
    this.#clock = clock;
    this.#totalMs = totalMs;
    this.#startedAtMs = clock.nowMs();
    this.#timer = clock.after(RATE_FROM_MS, () => this.#check());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The server has answered. */
  begin(): void {
    this.#responded = true;
  }

  #check(): void {
    const elapsedMs = this.#clock.nowMs() - this.#startedAtMs;
    if (!this.#responded && elapsedMs < TOTAL_MS) {
      this.#timer = this.#clock.after(RATE_EVERY_MS, () => this.#check());
    } else if (!this.#responded) {
      this.#controller.abort(new AttachmentError('unreachable', 'the file server did not answer'));
    } else if (elapsedMs >= this.#totalMs || this.receivedBytes < (elapsedMs * MIN_BYTES_PER_SECOND) / 1000) {
      this.#controller.abort(new AttachmentError('too-slow', `${this.receivedBytes} bytes in ${elapsedMs} ms`));
    } else {
      this.#timer = this.#clock.after(Math.min(RATE_EVERY_MS, this.#totalMs - elapsedMs), () => this.#check());
    }
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }
}
