/**
 * The bytes of padded base64, or `undefined` when it is not that. `Buffer.from` alone takes anything: it skips what it
 * does not know and stops at the first padding, so an error page becomes noise. What it skipped shows in the length.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = Buffer.from(text, 'base64');
  return text.length % 4 === 0 && bytes.length === (text.length / 4) * 3 - padding ? bytes : undefined;
}

/** Joins 16-bit little-endian PCM that arrives in pieces of any size: the second half of a sample may come later. */
export class SampleReader {
  #rest = new Uint8Array(0);

  /** The samples that `bytes` completes. */
  read(bytes: Uint8Array): Int16Array {
    const joined = new Uint8Array(this.#rest.length + bytes.length);
    joined.set(this.#rest);
    joined.set(bytes, this.#rest.length);
    const whole = joined.length - (joined.length % 2);
    this.#rest = joined.slice(whole);
    return new Int16Array(joined.buffer, 0, whole / 2);
  }

  /** What was read so far ends in the middle of a sample. */
  get splitsSample(): boolean {
    return this.#rest.length > 0;
  }
}
