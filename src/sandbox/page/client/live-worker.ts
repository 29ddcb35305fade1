/// <reference lib="webworker" />

/**
 * Carries live sound between the audio threads and the sandbox on a thread of its own: whatever the page is busy with, it
 * does not stutter.
 */

/** Frames the socket may have before it; more means that it is stuck, and old sound is of no use. */
const MAX_UNSENT_BYTES = 50 * 960;

export type LiveMessage =
  | { readonly kind: 'open'; readonly url: string }
  | { readonly kind: 'gate'; readonly gate: string }
  | { readonly kind: 'player'; readonly port: MessagePort }
  | { readonly kind: 'capture'; readonly port: MessagePort };

let socket: WebSocket | undefined;
let player: MessagePort | undefined;
let gate = 'closed';

function open(url: string): void {
  const opened = new WebSocket(url);
  socket = opened;
  opened.binaryType = 'arraybuffer';
  opened.addEventListener('open', () => {
    opened.send(gate);
    postMessage('open');
  });
  opened.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => player?.postMessage(data, [data]));
  opened.addEventListener('close', () => postMessage('closed'));
}

function send(frame: Int16Array<ArrayBuffer>): void {
  if (socket?.readyState === WebSocket.OPEN && socket.bufferedAmount < MAX_UNSENT_BYTES) socket.send(frame);
}

addEventListener('message', ({ data }: MessageEvent<LiveMessage>) => {
  switch (data.kind) {
    case 'open':
      open(data.url);
      break;
    case 'gate':
      gate = data.gate;
      if (socket?.readyState === WebSocket.OPEN) socket.send(gate);
      break;
    case 'player':
      player = data.port;
      break;
    case 'capture':
      data.port.addEventListener('message', ({ data: frame }: MessageEvent<Int16Array<ArrayBuffer>>) => send(frame));
      data.port.start();
      break;
  }
});
