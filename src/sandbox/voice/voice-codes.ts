/** Opcodes of the voice gateway, version 8 (Discord's documentation, "Voice"). Those from 25 on but 31 are binary. */
export const OP = {
  identify: 0,
  selectProtocol: 1,
  ready: 2,
  heartbeat: 3,
  sessionDescription: 4,
  speaking: 5,
  heartbeatAck: 6,
  resume: 7,
  hello: 8,
  resumed: 9,
  clientsConnect: 11,
  clientDisconnect: 13,
  davePrepareTransition: 21,
  daveExecuteTransition: 22,
  daveTransitionReady: 23,
  davePrepareEpoch: 24,
  daveExternalSender: 25,
  daveKeyPackage: 26,
  daveProposals: 27,
  daveCommitWelcome: 28,
  daveAnnounceCommit: 29,
  daveWelcome: 30,
  daveInvalidCommitWelcome: 31,
  highest: 31,
} as const;

/** Close codes the server itself uses. */
export const CLOSE = {
  abnormal: 1006,
  unknownOpcode: 4001,
  failedToDecode: 4002,
  notAuthenticated: 4003,
  authenticationFailed: 4004,
  alreadyAuthenticated: 4005,
  sessionNoLongerValid: 4006,
  serverNotFound: 4011,
  unknownProtocol: 4012,
  disconnected: 4014,
  voiceServerCrashed: 4015,
  unknownEncryptionMode: 4016,
  daveRequired: 4017,
  callTerminated: 4022,
} as const;

/** After these the admission is worth nothing any more: the bot must ask the gateway again. */
const STALE_ADMISSION: ReadonlySet<number> = new Set([
  CLOSE.authenticationFailed,
  CLOSE.sessionNoLongerValid,
  4009,
  CLOSE.serverNotFound,
]);

export function endsAdmission(code: number): boolean {
  return STALE_ADMISSION.has(code);
}

/** Codes after which a client resumes its session. */
export function isResumable(code: number): boolean {
  return code < 4000 || code === CLOSE.voiceServerCrashed;
}
