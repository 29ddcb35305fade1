import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

import type { Clock } from '../../time/clock.ts';
import { RTP_HEADER_BYTES } from './rtp.ts';

const DISCOVERY_BYTES = 74;
const DISCOVERY_REQUEST = 1;
const DISCOVERY_RESPONSE = 2;
const KEEPALIVE_BYTES = 8;

/** Where a client's datagrams come from. */
export interface Address {
  readonly address: string;
  readonly port: number;
}

/** Who gets what arrives. */
export interface UdpReceiver {
  /** An IP discovery from the client of this SSRC. Returns whether it is answered. */
  discovered(ssrc: number, from: Address): boolean;
  /** A datagram that may be RTP; its header says it is of this SSRC. */
  datagram(ssrc: number, datagram: Buffer, from: Address, atMs: number): void;
}

/** The voice server's UDP socket on loopback: IP discovery and keepalives, and everything else by SSRC. */
export class UdpPort implements AsyncDisposable {
  readonly #socket: Socket;

  private constructor(socket: Socket, receiver: UdpReceiver, clock: Clock) {
    this.#socket = socket;
    socket.on('message', (datagram, from) => {
      // First of all, because latencies are measured from it.
      const atMs = clock.nowMs();
      this.#receive(datagram, from, receiver, atMs);
    });
    // A client that is gone answers with ICMP "port unreachable": no reason to stop.
    socket.on('error', () => {});
  }

  static async open(receiver: UdpReceiver, clock: Clock): Promise<UdpPort> {
    const socket = createSocket('udp4');
    const port = new UdpPort(socket, receiver, clock);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return port;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(datagram: Uint8Array, to: Address): void {
    this.#socket.send(datagram, to.port, to.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve());
    });
  }

  #receive(datagram: Buffer, from: RemoteInfo, receiver: UdpReceiver, atMs: number): void {
    if (datagram.length === KEEPALIVE_BYTES) {
      this.send(datagram, from);
    } else if (datagram.length === DISCOVERY_BYTES && datagram.readUInt16BE(0) === DISCOVERY_REQUEST) {
      if (receiver.discovered(datagram.readUInt32BE(4), from)) this.send(discoveryResponse(datagram, from), from);
    } else if (datagram.length > RTP_HEADER_BYTES) {
      receiver.datagram(datagram.readUInt32BE(8), datagram, from, atMs);
    }
  }
}

/** Sends datagrams from a socket that the voice server has nothing to do with. */
export async function sendAsStranger(datagrams: readonly Uint8Array[], to: Address): Promise<void> {
  const socket = createSocket('udp4');
  try {
    for (const datagram of datagrams) {
      await new Promise<void>((resolve, reject) => {
        socket.send(datagram, to.port, to.address, (error) => {
          if (error) reject(error);
          else resolve();
        });
      });
    }
  } finally {
    socket.close();
  }
}

function discoveryResponse(request: Buffer, from: Address): Buffer {
  const response = Buffer.alloc(DISCOVERY_BYTES);
  response.writeUInt16BE(DISCOVERY_RESPONSE, 0);
  response.writeUInt16BE(DISCOVERY_BYTES - 4, 2);
  request.copy(response, 4, 4, 8);
  response.write(from.address, 8, 'ascii');
  response.writeUInt16BE(from.port, DISCOVERY_BYTES - 2);
  return response;
}
