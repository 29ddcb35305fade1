import { NetworkingStatusCode, type Networking } from '@discordjs/voice';

import type { Clock } from '../time/clock.ts';

const RETRY_MS = 500;
const REQUEST = 1;
/** Bytes after the two words of type and length. */
const BODY_BYTES = 70;

/**
 * IP discovery is one datagram each way, and the library sends it once: a lost one would hang the join. Asks again every
 * half second until the voice server has answered or the attempt is over.
 */
export function retryDiscovery(networking: Networking, clock: Clock): Disposable {
  let timer = clock.after(RETRY_MS, retry);
  function retry(): void {
    const { state } = networking;
    if (state.code !== NetworkingStatusCode.UdpHandshaking) return;
    try {
      state.udp.send(discoveryRequest(state.connectionData.ssrc));
    } catch {
      // An SSRC that is none, of which the library says so itself, or a socket that has gone: the attempt runs out of time.
      return;
    }
    timer = clock.after(RETRY_MS, retry);
  }
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

/** https://docs.discord.com/developers/topics/voice-connections#ip-discovery */
function discoveryRequest(ssrc: number): Buffer {
  const request = Buffer.alloc(4 + BODY_BYTES);
  request.writeUInt16BE(REQUEST, 0);
  request.writeUInt16BE(BODY_BYTES, 2);
  request.writeUInt32BE(ssrc, 4);
  return request;
}
