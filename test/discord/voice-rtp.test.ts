import { expect, test } from 'vitest';

import { openDatagram, readRtpHeader, sealDatagram, type TransportKey } from '../../src/discord/voice-rtp.ts';

const MODES = ['aead_aes256_gcm_rtpsize', 'aead_xchacha20_poly1305_rtpsize'] as const;

test.each(MODES)('what is sealed with %s is opened with the same key, and with no other', (mode) => {
  const key: TransportKey = { mode, secretKey: new Uint8Array(32).fill(7) };
  const other: TransportKey = { mode, secretKey: new Uint8Array(32).fill(8) };
  const state = { ssrc: 5, sequence: 0xffff, timestamp: 0xffff_ffff, nonce: 0xffff_ffff };
  const payloads = ['one', 'two'].map((text) => Buffer.from(text));
  const datagrams = payloads.map((payload) => sealDatagram(payload, state, key));
  const headers = datagrams.map((datagram) => {
    const header = readRtpHeader(datagram);
    if (typeof header === 'string') throw new Error(header);
    return header;
  });
  // Counters go round.
  expect(headers.map(({ ssrc, sequence, timestamp }) => [ssrc, sequence, timestamp])).toEqual([
    [5, 0xffff, 0xffff_ffff],
    [5, 0, 959],
  ]);
  expect(datagrams.map((datagram) => datagram.readUInt32BE(datagram.length - 4))).toEqual([0, 1]);
  for (const [index, header] of headers.entries()) {
    const datagram = datagrams[index] ?? Buffer.alloc(0);
    expect(openDatagram(datagram, header, key)).toEqual(payloads[index]);
    expect(openDatagram(datagram, header, other)).toBe('auth-fail');
  }
});
