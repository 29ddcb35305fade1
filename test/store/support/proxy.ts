import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A wire to a server that tests can cut, silence, or let lose an answer. */
export class Proxy implements AsyncDisposable {
  readonly #server = createServer((socket) => this.#join(socket));
  readonly #sockets = new Set<Socket>();
  readonly #target: { readonly host: string; readonly port: number };
  #mode: 'open' | 'cut' | 'silent' = 'open';
  #awaited: string[] = [];
  #port = 0;

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
  }

  /** A wire to the server of `url`, and the url that goes through it. */
  static async to(url: string): Promise<{ proxy: Proxy; url: string }> {
    const address = new URL(url);
    const proxy = new Proxy({ host: address.hostname, port: Number(address.port || 5432) });
    await proxy.#listen();
    address.hostname = '127.0.0.1';
    address.port = `${proxy.#port}`;
    return { proxy, url: address.href };
  }

  /** Ends every connection and refuses new ones. */
  cut(): void {
    this.#mode = 'cut';
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Takes everything and passes nothing on. */
  silence(): void {
    this.#mode = 'silent';
  }

  mend(): void {
    this.#mode = 'open';
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Waits until all of `texts` have gone to the server, one after the other, and cuts the wire instead of answering the last. */
  loseAnswerTo(...texts: string[]): void {
    this.#awaited = texts;
  }

  /** The wire was cut as {@link Proxy.loseAnswerTo} said. */
  get hasLostIt(): boolean {
    return this.#awaited.length === 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new TypeError('no port');
    this.#port = address.port;
  }

  #join(client: Socket): void {
    if (this.#mode === 'cut') {
      client.destroy();
      return;
    }
    const server = connect(this.#target);
    let isLost = false;
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on('data', (data) => {
      if (this.#mode !== 'open') return;
      const [next] = this.#awaited;
      if (next !== undefined && data.includes(next)) {
        this.#awaited.shift();
        isLost = this.#awaited.length === 0;
      }
      server.write(data);
    });
    server.on('data', (data) => {
      if (isLost) end();
      else if (this.#mode === 'open') client.write(data);
    });
  }
}
