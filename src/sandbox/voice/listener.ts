import { once } from 'node:events';
import { createServer, type Server } from 'node:https';

import { WebSocketServer } from 'ws';

import type { Clock } from '../../time/clock.ts';
import type { LoopbackCertificate } from '../certificate.ts';
import { UdpPort, type UdpReceiver } from './udp.ts';
import { serveVoiceSocket, type VoiceDoor } from './voice-socket.ts';

const LOOPBACK = '127.0.0.1';
/** DAVE messages of a large call are some kilobytes. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** One voice server as a client sees it: a TLS endpoint and the UDP port that goes with it. */
export class VoiceListener implements AsyncDisposable {
  readonly udp: UdpPort;
  readonly endpoint: string;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;

  private constructor(server: Server, sockets: WebSocketServer, udp: UdpPort, endpoint: string) {
    this.#server = server;
    this.#sockets = sockets;
    this.udp = udp;
    this.endpoint = endpoint;
  }

  static async open(
    certificate: LoopbackCertificate,
    door: (listener: VoiceListener) => VoiceDoor,
    receiver: UdpReceiver,
    clock: Clock,
  ): Promise<VoiceListener> {
    const server = createServer({ cert: certificate.certificatePem, key: certificate.privateKeyPem });
    const sockets = new WebSocketServer({ server, maxPayload: MAX_MESSAGE_BYTES });
    // A client that does not trust the certificate ends the handshake: its problem, told to it by TLS.
    server.on('tlsClientError', () => {});
    server.listen(0, LOOPBACK);
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const listener = new VoiceListener(server, sockets, await UdpPort.open(receiver, clock), `${LOOPBACK}:${port}`);
    sockets.on('connection', (socket) => serveVoiceSocket(socket, door(listener)));
    return listener;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await this.udp[Symbol.asyncDispose]();
  }
}
