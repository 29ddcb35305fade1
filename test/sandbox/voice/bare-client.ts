import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import { WebSocket } from 'ws';

import type { VoiceService } from '../../../src/sandbox/voice/service.ts';

const DEADLINE_MS = 5000;

export interface Message {
  readonly op: number;
  readonly d: Record<string, unknown>;
  readonly seq?: number;
}

/** One voice gateway socket that says exactly what it is told to. */
export class BareClient implements Disposable {
  readonly messages: Message[] = [];
  /** The code the socket was closed with. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = once(socket, 'close').then(([code]) => Number(code));
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) this.messages.push(JSON.parse(data.toString()));
    });
  }

  static async connect(service: VoiceService, endpoint = service.endpoint): Promise<BareClient> {
    const client = new BareClient(new WebSocket(`wss://${endpoint}?v=8`, { ca: service.caPem }));
    await once(client.#socket, 'open');
    return client;
  }

  /** Waits for a message of this opcode and gives it; it and those before it are forgotten. */
  async next(op: number): Promise<Message> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const index = this.messages.findIndex((message) => message.op === op);
      const [found] = index < 0 ? [] : this.messages.splice(0, index + 1).slice(-1);
      if (found) return found;
      await once(this.#socket, 'message', { signal });
    }
  }

  send(op: number, d: unknown): void {
    this.raw(JSON.stringify({ op, d }));
  }

  raw(data: string): void {
    this.#socket.send(data);
  }

  /** Resolves when the server has dealt with everything sent so far. */
  async settled(): Promise<void> {
    const answered = once(this.#socket, 'pong', { signal: AbortSignal.timeout(DEADLINE_MS) });
    this.#socket.ping();
    await answered;
  }

  /** The connection breaks without a goodbye. */
  break(): void {
    this.#socket.terminate();
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }
}

/** Finds out its address as a client does; the socket stays open so that sound can come. */
export async function discover(port: number, ssrc: number): Promise<{ socket: Socket; reply: Buffer; port: number }> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const request = Buffer.alloc(74);
  request.writeUInt16BE(1, 0);
  request.writeUInt16BE(70, 2);
  request.writeUInt32BE(ssrc, 4);
  socket.send(request, port, '127.0.0.1');
  const [reply] = await once(socket, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) });
  return { socket, reply, port: socket.address().port };
}
