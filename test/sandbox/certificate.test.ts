import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { checkServerIdentity, connect } from 'node:tls';

import { expect, it } from 'vitest';

import { createLoopbackCertificate, type LoopbackCertificate } from '../../src/sandbox/certificate.ts';

/** What a client that trusts these finds wrong with a server of this certificate. */
async function verdict(certificate: LoopbackCertificate, trusted: string[], host: string): Promise<string | undefined> {
  const server = createServer({ cert: certificate.certificatePem, key: certificate.privateKeyPem });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  const socket = connect({ host: '127.0.0.1', port: address.port, ca: trusted, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const wrongName: NodeJS.ErrnoException | undefined = checkServerIdentity(host, socket.getPeerCertificate());
  const problem = socket.authorized ? wrongName?.code : String(socket.authorizationError);
  socket.destroy();
  server.close();
  return problem;
}

it('is trusted for loopback, by who trusts it', async () => {
  const certificate = await createLoopbackCertificate();
  const trusted = [certificate.certificatePem];
  expect(await verdict(certificate, trusted, '127.0.0.1')).toBeUndefined();
  expect(await verdict(certificate, trusted, 'localhost')).toBeUndefined();
  expect(await verdict(certificate, trusted, 'example.com')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  expect(await verdict(certificate, [], '127.0.0.1')).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
});

it('is not hidden by the certificate of another sandbox', async () => {
  const [one, other] = await Promise.all([createLoopbackCertificate(), createLoopbackCertificate()]);
  const trusted = [one.certificatePem, other.certificatePem];
  expect(await verdict(one, trusted, '127.0.0.1')).toBeUndefined();
  expect(await verdict(other, trusted, '127.0.0.1')).toBeUndefined();
});

it('lasts a month and signs nothing but itself and its connections', async () => {
  const nowMs = Date.UTC(2026, 5, 15);
  const certificate = new X509Certificate((await createLoopbackCertificate(nowMs)).certificatePem);
  expect(new Date(certificate.validFrom).getTime()).toBe(Date.UTC(2026, 5, 14));
  expect(new Date(certificate.validTo).getTime()).toBe(Date.UTC(2026, 6, 15));
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
});
