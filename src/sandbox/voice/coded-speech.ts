import { FRAME_SAMPLES, TRAILING_SILENCE_FRAMES, type Frame } from '../../audio/frame.ts';
import { OpusEncoder } from '../../audio/opus.ts';

/** Recordings that are kept coded; the one that was spoken longest ago goes first. */
const MAX_KEPT = 8;

/**
 * A recording to be spoken, as samples (24 kHz mono) and as Opus packets that follow on a stretch of silence. Each packet
 * is coded when it is first wanted: whoever says it again, and whoever else says it, costs next to nothing.
 */
export class CodedSpeech {
  readonly samples: Int16Array;
  readonly #packets: Uint8Array[] = [];
  #encoder: OpusEncoder | undefined;

  constructor(samples: Int16Array) {
    this.samples = samples;
  }

  /** Silence after its end. */
  frame(index: number): Frame {
    const frame = new Int16Array(FRAME_SAMPLES);
    frame.set(this.samples.subarray(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES));
    return frame;
  }

  packet(index: number): Uint8Array {
    this.#encoder ??= encoderInSilence();
    let packet = this.#packets[index];
    while (!packet) {
      this.#packets.push(this.#encoder.encode(this.frame(this.#packets.length)));
      packet = this.#packets[index];
    }
    return packet;
  }
}

/** The recordings that were spoken last, so that they need not be read and coded again. */
export class CodedSpeeches {
  readonly #kept = new Map<string, CodedSpeech>();

  /** `read` makes samples of a recording that is not known any more. */
  of(recording: string, read: (recording: string) => Int16Array): CodedSpeech {
    const speech = this.#kept.get(recording) ?? new CodedSpeech(read(recording));
    this.#kept.delete(recording);
    this.#kept.set(recording, speech);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    return speech;
  }
}

/** What is coded builds on what a listener's decoder has heard before. */
function encoderInSilence(): OpusEncoder {
  const encoder = new OpusEncoder('live');
  for (let frame = 0; frame < TRAILING_SILENCE_FRAMES; frame++) encoder.encode(new Int16Array(FRAME_SAMPLES));
  return encoder;
}
