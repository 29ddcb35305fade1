const MAX_NEW_KEYS = 5;

export type RecoveryStep = 'new-keys' | 'rejoin' | 'tell';

/**
 * What to do about a member whose packets cannot be decrypted, each time that has gone on for too long: agree on new group
 * keys, five times at most; then join again, once; then tell, once. Anything heard of them wipes the slate.
 */
export class DaveRecovery {
  readonly #taken = new Map<string, number>();

  failed(userId: string): RecoveryStep | undefined {
    const taken = (this.#taken.get(userId) ?? 0) + 1;
    this.#taken.set(userId, taken);
    if (taken <= MAX_NEW_KEYS) return 'new-keys';
    if (taken === MAX_NEW_KEYS + 1) return 'rejoin';
    return taken === MAX_NEW_KEYS + 2 ? 'tell' : undefined;
  }

  heard(userId: string): void {
    this.#taken.delete(userId);
  }
}
