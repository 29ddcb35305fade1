import { RTP_TICKS_PER_FRAME } from './frame.ts';

/** How long a hole in the sequence is waited for before it is concealed: longer than ordinary Wi-Fi reordering. */
const DEFAULT_WAIT_MS = 80;

/** A sequence number this far from the expected one is not loss: mute and unmute restart the numbering. */
const MAX_SEQUENCE_JUMP = 64;

/** The longest Opus packet carries 120 ms (RFC 6716 §3.4). */
const MAX_PACKET_TICKS = 6 * RTP_TICKS_PER_FRAME;

/** What the buffer must know of a packet: the RTP fields (RFC 3550 §5.1) and when it arrived. */
export interface SequencedPacket {
  readonly ssrc: number;
  /** 16 bits, wraps. */
  readonly sequence: number;
  /** 32 bits of the 48 kHz RTP clock, wraps. */
  readonly timestamp: number;
  /** Monotonic arrival time. */
  readonly atMs: number;
}

export type JitterOutput<P extends SequencedPacket> =
  | { readonly type: 'packet'; readonly packet: P }
  /** One packet was lost. */
  | {
      readonly type: 'gap';
      /** Sound missing, in 48 kHz ticks: what the sender's packets usually last. */
      readonly ticks: number;
      /** Arrival of the first packet after the hole. */
      readonly atMs: number;
    };

/** What became of a pushed packet. */
export type JitterVerdict = 'kept' | 'duplicate' | 'late' | 'reset';

/**
 * Puts one speaker's packets in order and says what was lost. Pure: it has no timers, time comes in with each call.
 *
 * A packet that is in order passes with no delay; only a hole makes the ones after it wait, and at most `waitMs`. A pause
 * between two talkspurts moves the timestamp and not the sequence, so it is no loss. A new SSRC or a jump of the sequence
 * starts afresh.
 */
export class JitterBuffer<P extends SequencedPacket> {
  readonly #waitMs: number;
  #waiting = new Map<number, P>();
  /** Released one by one after a reset, ahead of what follows it. */
  #flushed: P[] = [];
  #ssrc: number | undefined;
  #expected = 0;
  /** The last packet released in each slot, by the low bits of its sequence number: tells a duplicate from a late one. */
  readonly #released = new Int32Array(MAX_SEQUENCE_JUMP).fill(-1);
  #last: P | undefined;
  #stepTicks = RTP_TICKS_PER_FRAME;

  constructor(waitMs = DEFAULT_WAIT_MS) {
    this.#waitMs = waitMs;
  }

  push(packet: P): JitterVerdict {
    if (packet.ssrc !== this.#ssrc) {
      const first = this.#ssrc === undefined;
      this.#restart(packet);
      return first ? 'kept' : 'reset';
    }
    const ahead = signed16(packet.sequence - this.#expected);
    if (Math.abs(ahead) > MAX_SEQUENCE_JUMP) {
      this.#restart(packet);
      return 'reset';
    }
    if (ahead < 0) return this.#released[slot(packet.sequence)] === packet.sequence ? 'duplicate' : 'late';
    if (this.#waiting.has(packet.sequence)) return 'duplicate';
    this.#waiting.set(packet.sequence, packet);
    return 'kept';
  }

  /** The next packet or gap that is due by `nowMs`. Call it until it answers `undefined`. */
  pull(nowMs: number): JitterOutput<P> | undefined {
    const flushed = this.#flushed.shift();
    if (flushed) return { type: 'packet', packet: flushed };
    const packet = this.#waiting.get(this.#expected);
    if (packet) {
      this.#waiting.delete(this.#expected);
      this.#released[slot(packet.sequence)] = packet.sequence;
      this.#learnStep(packet);
      this.#advance();
      return { type: 'packet', packet };
    }
    if (this.dueAtMs === undefined || nowMs < this.dueAtMs) return undefined;
    this.#advance();
    return { type: 'gap', ticks: this.#stepTicks, atMs: this.#inOrder()[0]?.atMs ?? nowMs };
  }

  /** When {@link pull} will give up on the hole it waits for; `undefined` while nothing waits. */
  get dueAtMs(): number | undefined {
    let earliestMs: number | undefined;
    for (const { atMs } of this.#waiting.values()) {
      if (earliestMs === undefined || atMs < earliestMs) earliestMs = atMs;
    }
    return earliestMs === undefined ? undefined : earliestMs + this.#waitMs;
  }

  #restart(packet: P): void {
    this.#flushed.push(...this.#inOrder());
    this.#waiting = new Map([[packet.sequence, packet]]);
    this.#ssrc = packet.ssrc;
    this.#expected = packet.sequence;
    this.#released.fill(-1);
    this.#last = undefined;
    this.#stepTicks = RTP_TICKS_PER_FRAME;
  }

  #advance(): void {
    this.#expected = (this.#expected + 1) & 0xffff;
  }

  /** Neighbours on the timeline tell how long one packet lasts; a longer step is a pause. */
  #learnStep(packet: P): void {
    const last = this.#last;
    this.#last = packet;
    if (!last || signed16(packet.sequence - last.sequence) !== 1) return;
    const ticks = (packet.timestamp - last.timestamp) >>> 0;
    if (ticks > 0 && ticks <= MAX_PACKET_TICKS) this.#stepTicks = ticks;
  }

  #inOrder(): P[] {
    return [...this.#waiting.values()].toSorted(
      (a, b) => signed16(a.sequence - this.#expected) - signed16(b.sequence - this.#expected),
    );
  }
}

function slot(sequence: number): number {
  return sequence % MAX_SEQUENCE_JUMP;
}

/** A difference of two 16-bit sequence numbers as -32768 to 32767. */
function signed16(difference: number): number {
  return (difference << 16) >> 16;
}
