import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import { Networking, NetworkingStatusCode, VoiceUDPSocket } from '@discordjs/voice';
import { afterEach, expect, test } from 'vitest';

import { retryDiscovery } from '../../src/discord/voice-discovery.ts';
import { installVoiceGuards } from '../../src/discord/voice-guards.ts';
import { ManualClock } from '../support/manual-clock.ts';

const server = createSocket('udp4');
server.bind(0, '127.0.0.1');
await once(server, 'listening');
server.unref();
installVoiceGuards();

let udp: VoiceUDPSocket;
afterEach(() => udp.destroy());

/** The library's connection while it waits for the answer to its IP discovery, with what the server said our SSRC is. */
function handshaking(ssrc: unknown): Networking {
  udp = new VoiceUDPSocket({ ip: '127.0.0.1', port: server.address().port });
  udp.on('error', () => {});
  const state = { code: NetworkingStatusCode.UdpHandshaking, udp, connectionData: { ssrc } };
  const networking: Networking = Object.create(Networking.prototype, { state: { value: state } });
  return networking;
}

/** The next datagram that is not the library's sign of life. */
async function asked(): Promise<Buffer> {
  for (;;) {
    const [datagram]: Buffer[] = await once(server, 'message');
    if (datagram && datagram.length > 8) return datagram;
  }
}

test.each([-1, 2 ** 32])('an SSRC that is none (%s) harms nobody', (ssrc) => {
  const clock = new ManualClock();
  using _ = retryDiscovery(handshaking(ssrc), clock);
  // What throws in a timer ends the process.
  expect(() => clock.advance(500)).not.toThrow();
  expect(clock.pending).toEqual([]);
});

test('a socket that has gone harms nobody', () => {
  const clock = new ManualClock();
  using _ = retryDiscovery(handshaking(7), clock);
  udp.destroy();
  expect(() => clock.advance(500)).not.toThrow();
});

test('it is asked again every half second', async () => {
  const clock = new ManualClock();
  using _ = retryDiscovery(handshaking(7), clock);
  for (let retry = 0; retry < 2; retry++) {
    const request = asked();
    clock.advance(500);
    expect((await request).subarray(0, 8).toString('hex')).toBe('0001004600000007');
  }
});
