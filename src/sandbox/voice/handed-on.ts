import type { WebSocket } from 'ws';

/** Tells when a client has handed on what it was sent: its WebSocket answers pings in order with its messages. */
export class HandedOn {
  #lastPing = 0;

  /** Calls `run` once everything sent on the socket so far has been handed on; never if the socket goes first. */
  after(socket: WebSocket, run: () => void): void {
    if (socket.readyState !== socket.OPEN) return;
    this.#lastPing += 1;
    const ping = this.#lastPing;
    const onPong = (data: Buffer) => {
      if (Number(data.toString()) < ping) return;
      socket.off('pong', onPong);
      run();
    };
    socket.on('pong', onPong);
    socket.ping(String(ping));
  }
}
