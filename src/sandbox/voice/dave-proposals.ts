import { generateKeyPairSync, sign } from 'node:crypto';

import { refHash, uint, vector } from './mls-wire.ts';

const PROPOSAL_ADD = 1;
const PROPOSAL_REMOVE = 3;
const SENDER_EXTERNAL = 2;
const CONTENT_PROPOSAL = 2;
const VERSION_AND_WIRE_FORMAT = Buffer.of(0, 1, 0, 1);

/** A signed proposal: the MLSMessage to send, and the reference by which a commit names it. */
export interface SignedProposal {
  readonly message: Buffer;
  readonly ref: string;
}

/**
 * The delivery service as MLS knows it: the group's external sender, who may propose and never commits. Its proposals
 * need no group state, only the group's id and epoch (RFC 9420 §12.1.8).
 */
export class ExternalSender {
  readonly #privateKey;
  /** The payload of opcode 25. */
  readonly packageBytes: Buffer;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = privateKey;
    const jwk = publicKey.export({ format: 'jwk' });
    const point = Buffer.concat([
      Buffer.of(4),
      Buffer.from(jwk.x ?? '', 'base64url'),
      Buffer.from(jwk.y ?? '', 'base64url'),
    ]);
    this.packageBytes = Buffer.concat([vector(point), uint(1, 2), vector(Buffer.from('sandbox'))]);
  }

  add(groupId: Uint8Array, epoch: bigint, keyPackage: Uint8Array): SignedProposal {
    return this.#propose(groupId, epoch, Buffer.concat([uint(PROPOSAL_ADD, 2), keyPackage]));
  }

  remove(groupId: Uint8Array, epoch: bigint, leaf: number): SignedProposal {
    return this.#propose(groupId, epoch, Buffer.concat([uint(PROPOSAL_REMOVE, 2), uint(leaf, 4)]));
  }

  #propose(groupId: Uint8Array, epoch: bigint, proposal: Uint8Array): SignedProposal {
    const content = Buffer.concat([
      vector(groupId),
      uint(epoch, 8),
      Buffer.of(SENDER_EXTERNAL),
      uint(0, 4),
      vector(Buffer.alloc(0)),
      Buffer.of(CONTENT_PROPOSAL),
      proposal,
    ]);
    const toBeSigned = Buffer.concat([
      vector(Buffer.from('MLS 1.0 FramedContentTBS')),
      vector(Buffer.concat([VERSION_AND_WIRE_FORMAT, content])),
    ]);
    const signature = sign('sha256', toBeSigned, { key: this.#privateKey, dsaEncoding: 'der' });
    const authenticated = Buffer.concat([content, vector(signature)]);
    return {
      message: Buffer.concat([VERSION_AND_WIRE_FORMAT, authenticated]),
      ref: refHash(
        'MLS 1.0 Proposal Reference',
        Buffer.concat([VERSION_AND_WIRE_FORMAT.subarray(2), authenticated]),
      ).toString('hex'),
    };
  }
}

/** The payload of opcode 27 that appends these proposals. */
export function proposalsPayload(proposals: readonly SignedProposal[]): Buffer {
  return Buffer.concat([Buffer.of(0), vector(Buffer.concat(proposals.map((proposal) => proposal.message)))]);
}
