import { unsealText } from './seal.ts';

/** Characters of all that is held, words and seals together: some thousand turns of conversation. */
const MAX_CHARACTERS = 4_000_000;

/**
 * Words that were opened before. A history is read again for each turn, and opening takes some 25 us for each text: more
 * than all else that is done between the end of somebody's speech and the request.
 */
export class OpenedTexts {
  /** By place and sealed bytes: bytes that were altered since are opened again, and do not open. */
  readonly #texts = new Map<string, string>();
  #characters = 0;

  /** @throws {StoreError} `corrupt`, as `unsealText` does. */
  open(key: Uint8Array, sealed: Uint8Array, place: string): string {
    const name = `${place} ${Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length).toString('latin1')}`;
    const known = this.#texts.get(name);
    if (known !== undefined) return known;
    const text = unsealText(key, sealed, place);
    this.#characters += name.length + text.length;
    this.#texts.set(name, text);
    this.#dropOldest();
    return text;
  }

  clear(): void {
    this.#texts.clear();
    this.#characters = 0;
  }

  #dropOldest(): void {
    for (const [name, text] of this.#texts) {
      if (this.#characters <= MAX_CHARACTERS) return;
      this.#texts.delete(name);
      this.#characters -= name.length + text.length;
    }
  }
}
