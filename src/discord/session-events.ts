import type { VoiceRights } from './voice-gate.ts';

/** Why a session is over. */
export type SessionEnd =
  /** The voice socket closed, and the gateway has not said that the call goes on. */
  | { readonly kind: 'closed'; readonly code: number }
  /** The gateway says that we are in no voice channel. `code`: how the voice socket had closed, if it had. */
  | { readonly kind: 'removed'; readonly code: number | undefined }
  /** What the voice server sent broke the library. */
  | { readonly kind: 'fault' }
  /** Not ready in time. */
  | { readonly kind: 'timeout' }
  /** Discord's gateway took no message from us, or let go of the connection. */
  | { readonly kind: 'no-gateway' }
  /** Discord took the voice server away and gave no other. */
  | { readonly kind: 'no-server' }
  /** Speech does not reach us or cannot be decrypted, though all else looks well. */
  | { readonly kind: 'deaf' }
  | { readonly kind: 'left' };

/** Why a session is not ready for a while. */
export type InterruptionCause = 'network' | 'server-moved' | 'no-server' | 'closed';

/** What a voice session tells its link. */
export interface SessionEvents {
  ready(): void;
  /** No longer ready, but not over either. */
  interrupted(cause: InterruptionCause): void;
  moved(channelId: string): void;
  rights(rights: VoiceRights): void;
  /** Opcode 5: the member says that they speak. */
  speaking(userId: string): void;
  undecryptable(userId: string): void;
}
