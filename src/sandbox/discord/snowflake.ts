/** Discord's epoch, the first millisecond of 2015 (Discord's reference, "Snowflakes"). */
const DISCORD_EPOCH_MS = 1_420_070_400_000n;

/**
 * Makes ids as Discord does: 42 bits of milliseconds since 2015, then worker, process and a counter of 12 bits. Ids grow
 * strictly, so that sorting by id sorts by time.
 */
export class SnowflakeSource {
  #last = 0n;

  next(nowMs: number = Date.now()): string {
    const first = (BigInt(Math.trunc(nowMs)) - DISCORD_EPOCH_MS) << 22n;
    this.#last = first > this.#last ? first : this.#last + 1n;
    return this.#last.toString();
  }
}

/** The moment written into an id, in milliseconds since 1970. */
export function snowflakeTimeMs(id: string): number {
  return Number((BigInt(id) >> 22n) + DISCORD_EPOCH_MS);
}

/** Whether Discord would read the text as an id: an unsigned number of at most 64 bits. */
export function isSnowflake(text: string): boolean {
  return /^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n;
}

/** Orders ids by age. */
export function bySnowflake(a: { readonly id: string }, b: { readonly id: string }): number {
  const difference = BigInt(a.id) - BigInt(b.id);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
