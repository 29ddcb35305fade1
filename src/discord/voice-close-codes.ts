/** What to do when the voice socket closes. */
export type CloseReaction =
  /** The network or a server failed: the library resumes once, then we join again. */
  | 'resume'
  /** Session, token or server are stale: leave and join, for a new session. */
  | 'new-session'
  /** Our own mistake, most likely: join again once, then stop. */
  | 'once'
  /** Removed from the channel, or moved: wait for what the gateway says. */
  | 'removed-or-moved'
  /** The call was ended, or goes on at another server: wait for what the gateway says, then join again once. */
  | 'call-ended'
  /** Only end-to-end encrypted connections are let in. */
  | 'encryption-required'
  /** Too many attempts: none for a minute. */
  | 'rate-limited';

/**
 * Voice close event codes, https://docs.discord.com/developers/topics/opcodes-and-status-codes#voice-voice-close-event-codes.
 * The library itself would try again at once, for ever, after each of them but 4014.
 */
const REACTIONS: ReadonlyMap<number, CloseReaction> = new Map([
  [4001, 'once'], // unknown opcode
  [4002, 'once'], // failed to decode payload
  [4003, 'once'], // not authenticated
  [4004, 'new-session'], // authentication failed
  [4005, 'once'], // already authenticated
  [4006, 'new-session'], // session no longer valid
  [4009, 'new-session'], // session timeout
  [4011, 'new-session'], // server not found
  [4012, 'once'], // unknown protocol
  [4014, 'removed-or-moved'], // disconnected
  [4015, 'resume'], // voice server crashed
  [4016, 'once'], // unknown encryption mode
  [4017, 'encryption-required'], // DAVE protocol required
  [4020, 'once'], // bad request
  [4021, 'rate-limited'], // rate limited
  [4022, 'call-ended'], // call terminated
]);

/** Codes below 4000 are WebSocket's own: the network. A code that Discord has added since counts as our mistake. */
export function closeReaction(code: number): CloseReaction {
  return code < 4000 ? 'resume' : (REACTIONS.get(code) ?? 'once');
}
