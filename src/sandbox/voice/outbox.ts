/** Messages kept for a resume. A client that has missed more than these must begin a new session. */
const MAX_KEPT = 512;
const SEQUENCE_LIMIT = 2 ** 16;

interface Kept {
  readonly sequence: number;
  readonly data: string | Buffer;
}

/**
 * Numbers what a voice session sends (gateway v8: `seq` in JSON, two leading bytes in binary frames) and keeps it, so that
 * a resumed session can be sent what it missed.
 */
export class Outbox {
  readonly #kept: Kept[] = [];
  #lastSequence = 0;

  json(op: number, d: unknown): string {
    const sequence = this.#next();
    return this.#keep(sequence, JSON.stringify({ op, d, seq: sequence }));
  }

  binary(op: number, payload: Buffer): Buffer {
    const sequence = this.#next();
    const head = Buffer.alloc(3);
    head.writeUInt16BE(sequence);
    head.writeUInt8(op, 2);
    return this.#keep(sequence, Buffer.concat([head, payload]));
  }

  /** What came after `acknowledged`, oldest first; undefined when that is not known any more, or never was. */
  since(acknowledged: number): readonly (string | Buffer)[] | undefined {
    const index = this.#kept.findIndex(({ sequence }) => sequence === acknowledged);
    if (index < 0) return acknowledged === -1 && this.#kept[0]?.sequence === 1 ? this.#kept.map(dataOf) : undefined;
    return this.#kept.slice(index + 1).map(dataOf);
  }

  #next(): number {
    // The client library takes 0 for "no sequence number".
    this.#lastSequence = (this.#lastSequence % (SEQUENCE_LIMIT - 1)) + 1;
    return this.#lastSequence;
  }

  #keep<Data extends string | Buffer>(sequence: number, data: Data): Data {
    this.#kept.push({ sequence, data });
    if (this.#kept.length > MAX_KEPT) this.#kept.shift();
    return data;
  }
}

function dataOf({ data }: Kept): string | Buffer {
  return data;
}
