import { once } from 'node:events';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { type Clock, monotonicClock } from '../../time/clock.ts';
import type { ControlMethods, SandboxEvent } from './protocol.ts';

/** Events remembered for `waitFor`; the oldest are forgotten first. */
const MAX_EVENTS = 50_000;

const DEFAULT_TIMEOUT_MS = 10_000;

type Arguments<Method extends keyof ControlMethods> = Parameters<ControlMethods[Method]>[0];
type Result<Method extends keyof ControlMethods> = Awaited<ReturnType<ControlMethods[Method]>>;

const failureSchema = z.object({ error: z.string() });

/** The sandbox has refused a call; the message says why. */
export class SandboxCallError extends Error {
  override readonly name = 'SandboxCallError';
}

/** What was waited for has not happened in time. */
export class SandboxTimeoutError extends Error {
  override readonly name = 'SandboxTimeoutError';
}

/** The connection to the sandbox is over. */
export class SandboxClosedError extends Error {
  override readonly name = 'SandboxClosedError';
}

export interface WaitOptions {
  /** Default 10 s. */
  readonly timeoutMs?: number;
  /** Only events from this moment of the sandbox's clock on. Default: all since the client connected. */
  readonly since?: number;
}

/** Calls the control API and follows its events. */
export class SandboxClient implements ControlMethods, AsyncDisposable {
  readonly #url: string;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #events: SandboxEvent[] = [];
  readonly #listeners = new Set<(event: SandboxEvent) => void>();
  readonly #closed = new AbortController();

  readonly world = this.#method('world');
  readonly createGuild = this.#method('createGuild');
  readonly createChannel = this.#method('createChannel');
  readonly createPerson = this.#method('createPerson');
  readonly deleteChannel = this.#method('deleteChannel');
  readonly deleteGuild = this.#method('deleteGuild');
  readonly setGuildAvailable = this.#method('setGuildAvailable');
  readonly setDenied = this.#method('setDenied');
  readonly moveMember = this.#method('moveMember');
  readonly setServerVoice = this.#method('setServerVoice');
  readonly gatewayFault = this.#method('gatewayFault');
  readonly restFault = this.#method('restFault');
  readonly restRequests = this.#method('restRequests');
  readonly sendMessage = this.#method('sendMessage');
  readonly sendVoiceMessage = this.#method('sendVoiceMessage');
  readonly runCommand = this.#method('runCommand');
  readonly runMessageCommand = this.#method('runMessageCommand');
  readonly autocomplete = this.#method('autocomplete');
  readonly pressButton = this.#method('pressButton');
  readonly selectOptions = this.#method('selectOptions');
  readonly submitModal = this.#method('submitModal');
  readonly interaction = this.#method('interaction');
  readonly ageInteraction = this.#method('ageInteraction');
  readonly messages = this.#method('messages');
  readonly join = this.#method('join');
  readonly leave = this.#method('leave');
  readonly setSelfVoice = this.#method('setSelfVoice');
  readonly speak = this.#method('speak');
  readonly stopSpeaking = this.#method('stopSpeaking');
  readonly synthesize = this.#method('synthesize');
  readonly heard = this.#method('heard');
  readonly setNetwork = this.#method('setNetwork');
  readonly voiceFault = this.#method('voiceFault');
  readonly setVoiceDefaults = this.#method('setVoiceDefaults');
  readonly setModel = this.#method('setModel');
  readonly modelFault = this.#method('modelFault');
  readonly modelRequests = this.#method('modelRequests');
  readonly expireAudio = this.#method('expireAudio');

  private constructor(url: string, socket: WebSocket, clock: Clock) {
    this.#url = url;
    this.#socket = socket;
    this.#clock = clock;
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#closed.abort(new SandboxClosedError('The connection to the sandbox is closed.')));
    socket.on('message', (data: Buffer) => this.#receive(JSON.parse(data.toString())));
  }

  /** Connects to a control API, such as `sandbox.controlUrl`; from then on no event is missed. */
  static async connect(controlUrl: string, clock: Clock = monotonicClock): Promise<SandboxClient> {
    const socket = new WebSocket(`${controlUrl.replace(/^http/, 'ws')}/events`);
    const client = new SandboxClient(controlUrl, socket, clock);
    await once(socket, 'open', { signal: client.#closed.signal });
    return client;
  }

  /**
   * Calls a method by name; each is also a property of its own.
   * @throws {SandboxCallError} when the sandbox refuses, with its reason.
   */
  async call<Method extends keyof ControlMethods>(method: Method, args: Arguments<Method>): Promise<Result<Method>>;
  async call(method: keyof ControlMethods, args: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(args),
      signal: this.#closed.signal,
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer;
    const failure = failureSchema.safeParse(answer);
    throw new SandboxCallError(failure.data?.error ?? `The sandbox answered ${response.status} to ${method}.`);
  }

  /** What happens from now on, until the signal aborts or the sandbox ends. Bounded as `waitFor` is. */
  async *events(signal: AbortSignal): AsyncGenerator<SandboxEvent, void, undefined> {
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    const queue: SandboxEvent[] = [];
    let wake: (() => void) | undefined;
    const listener = (event: SandboxEvent): void => {
      if (queue.length >= MAX_EVENTS) queue.shift();
      queue.push(event);
      wake?.();
    };
    const onEnd = (): void => wake?.();
    this.#listeners.add(listener);
    ended.addEventListener('abort', onEnd, { once: true });
    try {
      while (!ended.aborted) {
        const event = queue.shift();
        if (event) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#listeners.delete(listener);
      ended.removeEventListener('abort', onEnd);
    }
  }

  /**
   * The first event that fits, among those since the client connected and those to come.
   * @throws {SandboxTimeoutError} when none has come in time.
   */
  async waitFor<Event extends SandboxEvent>(
    predicate: (event: SandboxEvent) => event is Event,
    options?: WaitOptions,
  ): Promise<Event>;
  async waitFor(predicate: (event: SandboxEvent) => boolean, options?: WaitOptions): Promise<SandboxEvent>;
  async waitFor(
    predicate: (event: SandboxEvent) => boolean,
    { timeoutMs = DEFAULT_TIMEOUT_MS, since = Number.NEGATIVE_INFINITY }: WaitOptions = {},
  ): Promise<SandboxEvent> {
    const fits = (event: SandboxEvent): boolean => event.atMs >= since && predicate(event);
    const earlier = this.#events.find(fits);
    if (earlier) return earlier;
    const { promise, resolve, reject } = Promise.withResolvers<SandboxEvent>();
    const listener = (event: SandboxEvent): void => {
      if (fits(event)) resolve(event);
    };
    const timer = this.#clock.after(timeoutMs, () => {
      reject(new SandboxTimeoutError(`Nothing that fits has happened within ${timeoutMs} ms.`));
    });
    const onClose = (): void => reject(this.#closed.signal.reason);
    this.#listeners.add(listener);
    this.#closed.signal.addEventListener('abort', onClose, { once: true });
    if (this.#closed.signal.aborted) onClose();
    try {
      return await promise;
    } finally {
      timer[Symbol.dispose]();
      this.#listeners.delete(listener);
      this.#closed.signal.removeEventListener('abort', onClose);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #method<Method extends keyof ControlMethods>(method: Method) {
    return (args: Arguments<Method>): Promise<Result<Method>> => this.call(method, args);
  }

  #receive(event: SandboxEvent): void {
    if (this.#events.length >= MAX_EVENTS) this.#events.shift();
    this.#events.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}
