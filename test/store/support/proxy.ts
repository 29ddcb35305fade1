import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A wire to a server that tests can cut, silence, or let lose an answer. */
export class Proxy implements AsyncDisposable {
  readonly #server = createServer((socket) => this.#join(socket));
  readonly #sockets = new Set<Socket>();
  readonly #target: { readonly host: string; readonly port: number };
  #mode: 'open' | 'cut' | 'silent' = 'open';
  #losesAnswerTo: string | undefined;
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

  /** Passes on the next request that holds `text`, and cuts the wire when its answer comes. */
  loseAnswerTo(text: string): void {
    this.#losesAnswerTo = text;
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
      if (this.#losesAnswerTo !== undefined && data.includes(this.#losesAnswerTo)) {
        this.#losesAnswerTo = undefined;
        isLost = true;
      }
      server.write(data);
    });
    server.on('data', (data) => {
      if (isLost) end();
      else if (this.#mode === 'open') client.write(data);
    });
  }
}
