/** One connected member as the delivery service reaches it: each method is one DAVE message of the voice gateway. */
export interface DaveMember {
  readonly userId: string;
  /** Opcode 25. */
  externalSender(packageBytes: Buffer): void;
  /** Opcode 27. The answer, opcode 28, must not come before this returns. */
  proposals(payload: Buffer): void;
  /** Opcode 29. */
  announceCommit(transitionId: number, commit: Buffer): void;
  /** Opcode 30. */
  welcome(transitionId: number, welcome: Buffer): void;
  /** Opcode 24: begin again at epoch 1 with a new key package. */
  prepareEpoch(version: number): void;
  /** Opcode 21. */
  prepareTransition(transitionId: number, version: number): void;
  /** Opcode 22. Not a message when `transitionId` is 0: such a transition needs no order. */
  executeTransition(transitionId: number, version: number): void;
}

/** A member and where it stands with the delivery service. */
export interface DaveEntry {
  readonly member: DaveMember;
  /** False once it has left the call; its leaf stays until a commit removes it. */
  connected: boolean;
  /** A key package that no group has used yet. */
  keyPackage: Buffer | undefined;
  /** It was sent the external sender. Once is enough: a second one is an error for a client that is in a group. */
  introduced: boolean;
  /** It said (opcode 31) that it could not follow a commit: its leaf is replaced as soon as its new key package is there. */
  lost: boolean;
}
