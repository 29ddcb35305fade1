import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate that is its own trust anchor, with its key, both PEM. */
export interface LoopbackCertificate {
  /** Trust it with `tls.setDefaultCACertificates` or `NODE_EXTRA_CA_CERTS`. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;
const CLOCK_SKEW_MS = 24 * 60 * 60 * 1000;

const OID_COMMON_NAME = [0x55, 0x04, 0x03];
const OID_KEY_USAGE = [0x55, 0x1d, 0x0f];
const OID_SUBJECT_ALTERNATIVE_NAME = [0x55, 0x1d, 0x11];
const OID_BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];
const OID_EXTENDED_KEY_USAGE = [0x55, 0x1d, 0x25];
const OID_SERVER_AUTHENTICATION = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const OID_ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;
const CONTEXT_0 = 0xa0;
const CONTEXT_3 = 0xa3;
const NAME_DNS = 0x82;
const NAME_IP = 0x87;

/**
 * Makes a self-signed certificate (RFC 5280) for `localhost` and 127.0.0.1 with a new P-256 key. It exists in memory
 * only: no private key is ever written down.
 */
export function createLoopbackCertificate(nowMs: number = Date.now()): LoopbackCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(SEQUENCE, oid(OID_ECDSA_WITH_SHA256));
  const serial = randomBytes(16);
  // Positive and without a leading zero byte, as DER wants it.
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  // Trust anchors are looked up by name: two sandboxes in one process need different ones.
  const commonName = `Parley sandbox ${serial.toString('hex')}`;
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, oid(OID_COMMON_NAME), der(UTF8_STRING, Buffer.from(commonName)))));
  const toBeSigned = der(
    SEQUENCE,
    der(CONTEXT_0, der(INTEGER, Buffer.of(2))),
    der(INTEGER, serial),
    algorithm,
    name,
    der(SEQUENCE, utcTime(nowMs - CLOCK_SKEW_MS), utcTime(nowMs + LIFETIME_MS)),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    der(CONTEXT_3, der(SEQUENCE, ...extensions())),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = der(SEQUENCE, toBeSigned, algorithm, der(BIT_STRING, Buffer.of(0), signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    certificatePem: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}

function extensions(): Buffer[] {
  const authority = der(SEQUENCE, der(BOOLEAN, Buffer.of(0xff)));
  // digitalSignature and keyCertSign: the first and the sixth bit.
  const usage = der(BIT_STRING, Buffer.of(2, 0x84));
  const purposes = der(SEQUENCE, oid(OID_SERVER_AUTHENTICATION));
  const names = der(SEQUENCE, der(NAME_DNS, Buffer.from('localhost')), der(NAME_IP, Buffer.of(127, 0, 0, 1)));
  return [
    extension(OID_BASIC_CONSTRAINTS, true, authority),
    extension(OID_KEY_USAGE, true, usage),
    extension(OID_EXTENDED_KEY_USAGE, false, purposes),
    extension(OID_SUBJECT_ALTERNATIVE_NAME, false, names),
  ];
}

function extension(id: readonly number[], critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der(BOOLEAN, Buffer.of(0xff))] : [];
  return der(SEQUENCE, oid(id), ...flag, der(OCTET_STRING, value));
}

function oid(bytes: readonly number[]): Buffer {
  return der(OBJECT_IDENTIFIER, Buffer.from(bytes));
}

/** `YYMMDDHHMMSSZ`; right until 2049, after which RFC 5280 wants another type. */
function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14);
  return der(UTC_TIME, Buffer.from(`${digits}Z`));
}

/** One DER element: tag, length, contents. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length);
  const used = body.length < 0x100 ? length.subarray(1) : length;
  return Buffer.concat([Buffer.of(tag, 0x80 | used.length), used, body]);
}
