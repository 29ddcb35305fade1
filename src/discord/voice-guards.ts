import { EventEmitter } from 'node:events';

import { Networking, VoiceReceiver, VoiceUDPSocket, VoiceWebSocket } from '@discordjs/voice';

/** Something that @discordjs/voice threw while it handled what the voice server sent. Its connection must be replaced. */
export class VoiceFault extends Error {
  override readonly name = 'VoiceFault';
  /** Where it was caught, for the log: `Networking.onWsBinary`. */
  readonly where: string;

  constructor(where: string, cause: unknown) {
    super(`the voice connection failed in ${where}`, { cause });
    this.where = where;
  }
}

/**
 * Where version 0.19.2 lets an error out into an event callback, which ends the process: one malformed frame on the voice
 * socket, DAVE proposals without a group, a keep-alive on a socket that closed in the same tick.
 */
const GUARDED: readonly (readonly [className: string, prototype: object, methods: readonly string[]])[] = [
  ['VoiceWebSocket', VoiceWebSocket.prototype, ['onMessage']],
  ['Networking', Networking.prototype, ['onWsOpen', 'onWsPacket', 'onWsBinary', 'onWsClose']],
  ['VoiceReceiver', VoiceReceiver.prototype, ['onWsPacket']],
  ['VoiceUDPSocket', VoiceUDPSocket.prototype, ['keepAlive']],
];

const guards = new WeakSet<object>();

/**
 * Wraps the library's entry points, once per process and before the first connection is made: the library binds them in
 * its constructors. A caught error comes out as a {@link VoiceFault} in the `error` event of the connection concerned, and
 * of no other.
 * @throws {TypeError} when a method is missing: the library was upgraded and this file must be looked at again.
 */
export function installVoiceGuards(): void {
  for (const [className, prototype, methods] of GUARDED) {
    for (const method of methods) {
      const original: unknown = Reflect.get(prototype, method);
      if (!isFunction(original)) throw new TypeError(`@discordjs/voice has no ${className}.${method}`);
      if (guards.has(original)) continue;
      const guard = guarded(original, `${className}.${method}`);
      guards.add(guard);
      Reflect.set(prototype, method, guard);
    }
  }
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function';
}

function guarded(original: AnyFunction, where: string): AnyFunction {
  return function guard(this: unknown, ...args: unknown[]): unknown {
    try {
      return Reflect.apply(original, this, args);
    } catch (cause) {
      report(this, new VoiceFault(where, cause));
      return undefined;
    }
  };
}

/** Sockets and networking pass an `error` event up to their connection; the receiver has none but knows its connection. */
function report(source: unknown, fault: VoiceFault): void {
  const emitter = source instanceof VoiceReceiver ? source.voiceConnection : source;
  // Without a listener the connection has already been given up, and there is nobody left to tell.
  if (emitter instanceof EventEmitter && emitter.listenerCount('error') > 0) emitter.emit('error', fault);
}
