import { randomBytes } from 'node:crypto';

// Asked for by @peculiar/x509, which must find it in place.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

/** A certificate that is its own trust anchor, with its key, both PEM. */
export interface LoopbackCertificate {
  /** Trust it with `tls.setDefaultCACertificates` or `NODE_EXTRA_CA_CERTS`. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const LIFETIME_DAYS = 30;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * Makes a self-signed certificate for `localhost` and 127.0.0.1 with a new P-256 key, valid for 30 days, and from
 * yesterday for clocks that disagree. It exists in memory only: no private key is ever written down.
 */
export async function createLoopbackCertificate(nowMs: number = Date.now()): Promise<LoopbackCertificate> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // Trust anchors are looked up by name: two sandboxes in one process need different ones.
    name: `CN=Parley sandbox ${randomBytes(8).toString('hex')}`,
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + LIFETIME_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  });
  return {
    certificatePem: certificate.toString('pem'),
    privateKeyPem: x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
  };
}
