/** About 40 s of one sender's packets. */
const WINDOW_PACKETS = 2048;
const MAX_SENDERS = 64;
/** A sealed datagram ends in 16 bytes of authentication tag and 4 of nonce counter. */
const TAG_AND_COUNTER_BYTES = 20;

/**
 * Remembers which sealed datagrams were taken, so that a copy of one, sent by the network or by someone who recorded it,
 * is not heard again. Its authentication tag tells a datagram from every other: a copy is all that an outsider can make.
 * The jitter buffer's window cannot do this, because to it a jump far back is a restart of the numbering.
 */
export class ReplayWindow {
  readonly #senders = new Map<number, Set<number>>();

  /** Whether this datagram was here before; remembers it. Ask only about datagrams that are authenticated. */
  seen({ ssrc, sequence }: { readonly ssrc: number; readonly sequence: number }, datagram: Buffer): boolean {
    const tags = this.#tagsOf(ssrc);
    // 48 bits, exact in a number: the sequence and a part of the tag.
    const tag = sequence * 2 ** 32 + datagram.readUInt32BE(datagram.length - TAG_AND_COUNTER_BYTES);
    if (tags.has(tag)) return true;
    tags.add(tag);
    forgetOldest(tags, WINDOW_PACKETS);
    return false;
  }

  clear(): void {
    this.#senders.clear();
  }

  #tagsOf(ssrc: number): Set<number> {
    let tags = this.#senders.get(ssrc);
    if (!tags) {
      tags = new Set();
      this.#senders.set(ssrc, tags);
      forgetOldest(this.#senders, MAX_SENDERS);
    }
    return tags;
  }
}

function forgetOldest<K>(entries: Set<K> | Map<K, unknown>, size: number): void {
  for (const key of entries.keys()) {
    if (entries.size <= size) return;
    entries.delete(key);
  }
}
